"""A model on disk: its manifest, its graphs and golden vectors, checked."""
