"""Corpora: one file each, from a folder of recordings to labelled voices or faces."""
