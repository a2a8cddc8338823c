"""Offsets, and what is none."""

import numpy as np
import pytest

from edge.preprocess.dc_offset import OffsetRemover, reach, without_offset
from edge.preprocess.sequence_ring import SequenceRing

RATE_HZ = 16000


def tone(hz: float) -> np.ndarray:
    return np.float32(0.3 * np.sin(2 * np.pi * hz * np.arange(2 * RATE_HZ) / RATE_HZ))


@pytest.mark.parametrize("hz", [50, 80, 220, 4000])
def test_a_voice_stays_as_it_was(hz: float) -> None:
    middle = slice(RATE_HZ // 4, -RATE_HZ // 4)
    np.testing.assert_allclose(without_offset(tone(hz), RATE_HZ)[middle], tone(hz)[middle], atol=0.0015)


@pytest.mark.parametrize("offset", [0.5, np.linspace(-0.3, 0.3, 2 * RATE_HZ), 0.2 * tone(0.1)])
def test_an_offset_goes_even_where_it_drifts(offset) -> None:
    middle = slice(RATE_HZ // 4, -RATE_HZ // 4)
    audio = np.asarray(tone(220) + offset, np.float32)
    np.testing.assert_allclose(without_offset(audio, RATE_HZ)[middle], tone(220)[middle], atol=0.002)
    assert abs(float(without_offset(audio, RATE_HZ).mean())) < 0.001


@pytest.mark.parametrize("length", [0, 1, 100])
def test_short_sounds_lose_their_mean(length: int) -> None:
    left = without_offset(np.full(length, 0.25, np.float32), RATE_HZ)
    assert left.dtype == np.float32
    np.testing.assert_allclose(left, np.zeros(length), atol=1e-7)


def test_beyond_its_reach_nothing_matters() -> None:
    sound = np.random.default_rng(0).normal(size=RATE_HZ).astype(np.float32)
    changed = sound.copy()
    changed[8000] += 1
    differing = np.flatnonzero(np.abs(without_offset(sound, RATE_HZ) - without_offset(changed, RATE_HZ)) > 1e-9)
    assert (differing[0], differing[-1]) == (8000 - reach(RATE_HZ), 8000 + reach(RATE_HZ))


@pytest.mark.parametrize("seed", range(4))
def test_a_growing_run_loses_what_the_whole_would(seed: int) -> None:
    """Whatever ends are asked for, now and then one before the last, or one that is far away."""
    rng, rate_hz, kept, end = np.random.default_rng(seed), 1000, 1500, 0
    sound = rng.normal(size=30_000).astype(np.float32) + 0.5
    run, remover = SequenceRing(4000, room=4000), OffsetRemover(rate_hz, kept)
    while run.end < len(sound):
        run.write(run.end, sound[run.end : run.end + int(rng.choice([5, 50, 500, 2500]))])
        end = max(end - 30, run.end - int(rng.integers(0, 300)), 0)
        remover.update(run, end)
        assert remover.samples.end == end
        expected = without_offset(sound[:end], rate_hz)[-kept:]
        found = remover.samples.view(end - kept, end)
        np.testing.assert_allclose(found, expected[len(expected) - len(found) :], atol=1e-6)
        assert len(found) >= min(end, kept - 300)
