"""Sound at another rate, in pieces, against sines that are known."""

import numpy as np
import pytest

from edge.sources.resampler import Resampler


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48000, 16000), (44100, 16000), (8000, 16000), (16000, 16000)])
def test_pieces_give_what_the_whole_sound_is_at_the_other_rate(from_hz: int, to_hz: int) -> None:
    resampled = Resampler(from_hz, to_hz)
    sound = np.float32(np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz))
    parts = [resampled(piece) for piece in np.split(sound, range(441, from_hz, 441))]
    heard = np.concatenate([*parts, resampled.finish()])
    expected = np.sin(2 * np.pi * 440 * np.arange(len(heard)) / to_hz)
    assert len(heard) == pytest.approx(to_hz, abs=2)
    np.testing.assert_allclose(heard[100:-100], expected[100:-100], atol=0.01)
