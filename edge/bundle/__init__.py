"""Bundle: a model on disk, with its manifest, graphs and golden vectors, checked."""
