"""Measurement of the skew between audio and video."""
