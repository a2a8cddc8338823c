"""Rings that hold a window's worth of samples and embeddings.

Sample counts carry the time inside a ring, never added-up seconds.
"""

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS
from .media import Block, Embedding, Samples
from .sequence_ring import SequenceRing

LARGEST_JITTER_NS = 100_000_000
"""Distance between two blocks above which there is a gap between them."""
LONGEST_PAUSE_NS = 500_000_000
"""Longest gap that is filled with silence: to the model such a gap is like a pause in speech. With a second of
silence in its middle a window is worth less than its newer half alone."""


class SampleRing:
    """Ring of the newest run of samples, two windows long: short gaps become silence, a long gap begins a new run."""

    def __init__(self, rate_hz: int, capacity: int, past: int = 0) -> None:
        """Make an empty ring for windows of `capacity` samples, which keeps `past` more samples before them."""
        self.rate_hz, self.capacity = rate_hz, capacity
        self.end_ns: int | None = None
        self.run = 0
        """Number of the run; positions count its samples."""
        self.samples = SequenceRing(2 * capacity + past, room=capacity // 4)
        """Samples of the run by their positions."""

    def __len__(self) -> int:
        return self.samples.end - self.samples.first

    def extend(self, block: Block) -> None:
        """Add a block; of one longer than a window the end alone, as a new run."""
        samples = block.samples[-self.capacity :]
        start_ns = block.end_ns - len(samples) * SECOND_NS // self.rate_hz
        gap_ns = 0 if self.end_ns is None else start_ns - self.end_ns
        if len(samples) < len(block.samples) or not -LARGEST_JITTER_NS <= gap_ns <= LONGEST_PAUSE_NS:
            self.clear()
        elif gap_ns > LARGEST_JITTER_NS:
            self._append(np.zeros(gap_ns * self.rate_hz // SECOND_NS, np.float32)[-self.capacity :])
        self._append(samples)
        self.end_ns = block.end_ns

    def _append(self, samples: Samples) -> None:
        self.samples.write(self.samples.end, samples)

    def position(self, end_ns: int) -> int:
        """Return the position after the samples captured before `end_ns`."""
        after = 0 if self.end_ns is None else max(0, (self.end_ns - end_ns) * self.rate_hz // SECOND_NS)
        return max(self.samples.first, self.samples.end - after)

    def until(self, end_ns: int) -> Samples:
        """Return a view of the samples captured before `end_ns`, at most a window of them."""
        end = self.position(end_ns)
        return self.samples.view(end - self.capacity, end)

    def clear(self) -> None:
        """Forget everything; what comes is a new run."""
        self.samples.clear()
        self.run += 1
        self.end_ns = None


class EmbeddingRing:
    """Ring of the newest frames' embeddings with their capture times: each frame is encoded once."""

    def __init__(self, capacity: int, width: int) -> None:
        self._embeddings = np.zeros((2 * capacity, width), dtype=np.float32)
        self._times = np.zeros(2 * capacity, dtype=np.int64)
        self._capacity, self._count = capacity, 0

    def append(self, embedding: Embedding, end_ns: int) -> None:
        """Add the embedding `[Dv]` of a frame captured at `end_ns`, later than those before."""
        if self._count == len(self._times):
            self._embeddings[: self._capacity] = self._embeddings[self._capacity :]
            self._times[: self._capacity] = self._times[self._capacity :]
            self._count = self._capacity
        self._embeddings[self._count], self._times[self._count] = embedding, end_ns
        self._count += 1

    def between(self, start_ns: int, end_ns: int) -> tuple[Embedding, NDArray[np.int64]]:
        """Return views of embeddings `[n, Dv]` and times `[n]`, `start_ns <= time < end_ns`, at most the capacity."""
        first, last = np.searchsorted(self._times[: self._count], [start_ns, end_ns])
        first = max(first, last - self._capacity)
        return self._embeddings[first:last], self._times[first:last]

    def clear(self) -> None:
        """Forget everything."""
        self._count = 0
