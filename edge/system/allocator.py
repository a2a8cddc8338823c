"""Allocator of the C library: as few arenas as suit a program whose threads hand media on."""

import ctypes
import os

M_ARENA_MAX = -8
"""Parameter of glibc's `mallopt`."""
ARENAS = 2
"""Number of arenas: with one for each thread, what a thread has freed serves no other
(docs/experiments.md, 2026-11-30)."""
SETTINGS = "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"
"""Environment variables by which the user decides."""


def limit_arenas() -> bool:
    """Keep glibc from making an arena for each thread, before there are threads; return whether it does.

    Other C libraries (musl, macOS) have no such arenas, and a user's own setting stays.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name in os.environ for name in SETTINGS):
        return False
    return bool(mallopt(M_ARENA_MAX, ARENAS))
