"""The voice in a window: tokens counted by hand, on either side of the thresholds."""

import numpy as np
import pytest

from edge.bundle.manifest import VoiceSpec
from edge.live.voice import Voice, is_enough, measure


@pytest.mark.parametrize(
    ("probabilities", "heard", "seconds", "share"),
    [
        ([0.9, 0.5, 0.49, 0.0], 4, 0.16, 0.5),
        ([0.9, 0.5, 0.9, 0.9], 2, 0.16, 1.0),
        ([0.1, 0.2, 0.3, 0.4], 4, 0.0, 0.0),
        ([0.1, 0.9, 0.9, 0.9], 1, 0.0, 0.0),
    ],
)
def test_tokens_of_audio_from_the_threshold_on_are_voice(probabilities, heard, seconds, share) -> None:
    found = measure(np.float32(probabilities), np.arange(4) < heard, token_s=0.08, threshold=0.5)
    assert found == pytest.approx(Voice(seconds, share))


def test_without_audio_there_is_none() -> None:
    assert measure(np.ones(4, np.float32), np.zeros(4, np.bool_), token_s=0.08, threshold=0.5) is None


@pytest.mark.parametrize(
    ("voice", "enough"), [(None, False), (Voice(0.99, 1.0), False), (Voice(1.0, 0.2), True), (Voice(6.0, 1.0), True)]
)
def test_seconds_decide_whatever_their_share(voice: Voice | None, enough: bool) -> None:
    assert is_enough(voice, VoiceSpec(threshold=0.5, least_s=1.0)) is enough
