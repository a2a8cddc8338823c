"""Voice in a window: how much of its audio the audio encoder takes for speech, laughter or crying.

Dimensions: Ta tokens of a window.
"""

from typing import NamedTuple

import numpy as np

from ..backends.base import Array
from ..bundle.manifest import VoiceSpec


class Voice(NamedTuple):
    """Voice in one window."""

    seconds: float
    """Seconds of voice, whole tokens."""
    share: float
    """Share of the window's audio, 0 to 1."""


def measure(probabilities: Array, mask: Array, token_s: float, threshold: float) -> Voice | None:
    """Return the voice in a window's tokens of `token_s` seconds; None where it has no audio.

    `probabilities` float32 `[Ta]` are those of a voice in each token, `mask` bool `[Ta]` is True where it is audio.
    """
    tokens = int(np.count_nonzero(mask))
    voiced = int(np.count_nonzero((probabilities >= threshold) & mask))
    return Voice(voiced * token_s, voiced / tokens) if tokens else None


def is_enough(voice: Voice | None, spec: VoiceSpec) -> bool:
    """Return whether a window holds as much voice as its audio needs to count; never without audio."""
    return voice is not None and voice.seconds >= spec.least_s
