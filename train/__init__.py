"""Foal-Net and its training, from corpora to a checkpoint."""
