"""Inference engines: what runs a bundle's graphs."""
