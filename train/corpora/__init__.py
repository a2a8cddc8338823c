"""Corpora: one module each, from a folder of recordings to labelled utterances or faces."""
