"""The ring against a list that never forgets."""

import numpy as np
import pytest

from edge.preprocess.sequence_ring import SequenceRing


@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_end_of_a_list(seed: int, shape: tuple[int, ...]) -> None:
    rng, kept = np.random.default_rng(seed), 50
    ring, rows, first = SequenceRing(kept, room=int(rng.choice([1, 20, 200])), shape=shape), np.zeros((0, *shape)), 0
    for _ in range(500):
        position = int(rng.integers(max(first, len(rows) - 10), len(rows) + 1))
        new = rng.normal(size=(int(rng.integers(0, 70)), *shape)).astype(np.float32)
        rows = np.concatenate([rows[:position], new])
        ring.write(position, new)
        if rng.random() < 0.05:
            first = int(rng.integers(first, len(rows) + 1))
            ring.forget_before(first)
        first = max(first, len(rows) - kept)
        assert (ring.first, ring.end) == (first, len(rows))
        begin, end = sorted(rng.integers(0, len(rows) + 20, 2))
        np.testing.assert_array_equal(ring.view(begin, end), rows[max(begin, first) : max(end, first)])


def test_after_clear_it_goes_on_at_a_position() -> None:
    ring = SequenceRing(4, room=2)
    ring.write(0, np.float32([1, 2, 3]))
    ring.clear(100)
    assert (len(ring.view(0, 200)), ring.first, ring.end) == (0, 100, 100)
    ring.write(100, np.float32([7, 8]))
    assert ring.view(101, 200).tolist() == [8]


def test_its_views_are_no_copies() -> None:
    ring = SequenceRing(4, room=2)
    ring.write(0, np.float32([1, 2, 3]))
    assert ring.view(0, 3).base is not None
    assert np.shares_memory(ring.view(0, 3), ring.view(1, 3))
