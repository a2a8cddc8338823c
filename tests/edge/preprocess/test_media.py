"""Both rings, against lists that never forget."""

import numpy as np
import pytest

from edge.preprocess.media import Block
from edge.preprocess.rings import EmbeddingRing, SampleRing

RATE_HZ, CAPACITY = 1000, 200
MS = 1_000_000


def add(ring: SampleRing, samples: np.ndarray, end_ms: int) -> None:
    ring.extend(Block(samples.astype(np.float32), end_ms * MS))


@pytest.mark.parametrize("seed", range(8))
def test_random_blocks_and_gaps_match_a_list(seed: int) -> None:
    """Sample i of the list was captured in the millisecond before `end - (len - 1 - i)`."""
    rng = np.random.default_rng(seed)
    ring, heard, end_ms = SampleRing(RATE_HZ, CAPACITY), np.zeros(0), 0
    for number in range(400):
        samples = rng.uniform(-1, 1, int(rng.integers(0, 90)))
        gap_ms = int(rng.choice([0, 0, 0, 100, 101, 500, 501]))
        end_ms += gap_ms + len(samples)
        pause = np.zeros(min(gap_ms, CAPACITY) if gap_ms > 100 and number else 0)
        heard = np.concatenate([heard, pause, samples]) if gap_ms <= 500 else samples
        add(ring, samples, end_ms)
        back_ms = int(rng.integers(0, CAPACITY))
        kept = heard[-2 * CAPACITY :]
        expected = kept[: max(0, len(kept) - back_ms)][-CAPACITY:]
        np.testing.assert_array_equal(ring.until((end_ms - back_ms) * MS), expected.astype(np.float32))
        assert ring.end_ns == end_ms * MS
        assert len(ring) == len(kept)


@pytest.mark.parametrize(
    ("gap_ms", "expected"), [(-100, 40), (-101, 20), (0, 40), (100, 40), (101, 141), (500, 200), (501, 20)]
)
def test_a_short_gap_is_silence_and_a_long_one_or_an_overlap_begins_anew(gap_ms: int, expected: int) -> None:
    ring = SampleRing(RATE_HZ, CAPACITY)
    add(ring, np.ones(20), 1000)
    add(ring, np.ones(20), 1020 + gap_ms)
    assert len(ring.until(10_000 * MS)) == expected


@pytest.mark.parametrize(("back_ns", "expected"), [(0, 20), (1, 20), (MS - 1, 20), (MS, 19), (MS + 1, 19)])
def test_a_sample_belongs_to_the_time_in_which_it_begins(back_ns: int, expected: int) -> None:
    ring = SampleRing(RATE_HZ, CAPACITY)
    add(ring, np.ones(20), 1000)
    assert len(ring.until(1000 * MS - back_ns)) == expected


def test_a_block_longer_than_the_ring_leaves_its_newest_part() -> None:
    ring = SampleRing(RATE_HZ, CAPACITY)
    add(ring, np.arange(1500), 1500)
    np.testing.assert_array_equal(ring.until(1500 * MS), np.arange(1300, 1500, dtype=np.float32))


def test_before_the_first_block_and_after_clear_there_is_nothing() -> None:
    ring = SampleRing(RATE_HZ, CAPACITY)
    assert (len(ring.until(MS)), ring.end_ns) == (0, None)
    add(ring, np.ones(20), 1000)
    ring.clear()
    assert (len(ring.until(1000 * MS)), len(ring), ring.end_ns) == (0, 0, None)


def test_before_everything_kept_there_is_nothing() -> None:
    ring = SampleRing(RATE_HZ, CAPACITY)
    add(ring, np.ones(20), 1000)
    assert len(ring.until(0)) == 0


@pytest.mark.parametrize("seed", range(4))
def test_random_embeddings_match_a_list(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ring, kept = EmbeddingRing(6, 3), []
    time_ns = 0
    for _ in range(300):
        time_ns += int(rng.integers(1, 500))
        kept.append((time_ns, rng.random(3).astype(np.float32)))
        ring.append(kept[-1][1], time_ns)
        start_ns, end_ns = time_ns - int(rng.integers(0, 3000)), time_ns + int(rng.integers(0, 2))
        newest = [entry for entry in kept[-6:] if start_ns <= entry[0] < end_ns]
        wider = [entry for entry in kept if start_ns <= entry[0] < end_ns][-6:]
        embeddings, times = ring.between(start_ns, end_ns)
        assert len(newest) <= len(times) <= len(wider)
        assert times.tolist() == [time for time, _ in wider[len(wider) - len(times) :]]
        expected = np.array([embedding for _, embedding in wider[len(wider) - len(times) :]], np.float32)
        np.testing.assert_array_equal(embeddings, expected.reshape(-1, 3))


@pytest.mark.parametrize(("start_ns", "end_ns", "expected"), [(10, 30, [10, 20]), (11, 31, [20, 30]), (31, 99, [])])
def test_a_window_of_embeddings_is_half_open(start_ns: int, end_ns: int, expected: list[int]) -> None:
    ring = EmbeddingRing(4, 1)
    for time_ns in (10, 20, 30):
        ring.append(np.zeros(1), time_ns)
    assert ring.between(start_ns, end_ns)[1].tolist() == expected


def test_a_cleared_ring_of_embeddings_begins_anew() -> None:
    ring = EmbeddingRing(2, 1)
    ring.append(np.ones(1), 10)
    ring.clear()
    ring.append(np.zeros(1), 5)
    assert ring.between(0, 100)[1].tolist() == [5]
