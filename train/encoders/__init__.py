"""Encoders: one file each, from pictures or sound to embeddings."""
