"""Encoders: one module each, from frames or audio to embeddings."""
