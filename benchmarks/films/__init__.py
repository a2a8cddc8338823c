"""Annotation of a film beside that of another package: CPU time of the whole, start included."""
