"""Triton Inference Server, which runs a bundle's graphs for several nodes at once."""
