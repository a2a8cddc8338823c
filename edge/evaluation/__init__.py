"""Evaluation on labelled recordings."""
