"""Recordings of runs: written, read, replayed, compared."""
