"""Random numbers of the field test: each draw follows from the seed and from the name of what is drawn."""

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a generator of its own for each seed and names: no condition's draws depend on what ran before."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])
