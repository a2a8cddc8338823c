"""Windows of a stream: due, and cut with their evidence. Ta is the number of tokens of a whole window."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..clock import to_ns
from ..preprocess.framing import FramingResult
from ..preprocess.media import Embedding, Samples
from ..preprocess.rings import SampleRing
from ..wire.evidence import AudioState, VideoState
from .token_window import TokenWindow


@dataclass(frozen=True)
class Window:
    """Evidence of one prediction; its arrays are views that hold until the stream changes."""

    samples: Samples
    """float32 `[n]`, n <= S; empty where audio is missing."""
    embeddings: Embedding
    """float32 `[n, Dv]`, n <= Tv; empty where video is missing."""
    tokens: TokenWindow | None
    """Tokens of the audio; None where it is missing, and with a bundle whose audio encoder takes whole windows."""
    start_ns: int
    """Capture time of the oldest evidence."""
    end_ns: int
    """Capture time of the newest evidence."""
    audio: AudioState
    video: VideoState
    framing: FramingResult | None
    """Framing of the newest frame; None where there is no usable frame."""
    encode_video_s: float
    """Seconds spent on cropping and encoding the frames that are new since the window before."""
    person: int | None = None
    """Number of the person whose window it is; None where a stream follows one alone."""
    heard: NDArray[np.bool_] | None = None
    """bool `[Ta]`, True for the tokens of the audio that are this person's voice; None where all are taken for it."""
    speaker: int | None = None
    """Speaker in the newest second: a person's number, NOBODY or UNCLEAR; None where nobody asks."""
    people: tuple["Window", ...] = ()
    """Windows of the people who are followed, in the order of their numbers, with the same audio."""

    @property
    def parts(self) -> tuple["Window", ...]:
        """Windows that are recognized: those of the people, or this one where there are none."""
        return self.people or (self,)


def audio_span(samples: Samples, ring: SampleRing, end_ns: int) -> tuple[int, int]:
    """Return the capture times at which a window's samples `[n]` from a ring begin and end."""
    audio_end_ns = end_ns if ring.end_ns is None else min(ring.end_ns, end_ns)
    return audio_end_ns - to_ns(len(samples) / ring.rate_hz), audio_end_ns


class DueWindow(NamedTuple):
    """Window that has fallen due."""

    end_ns: int
    late: int
    """Number of earlier windows that were due as well and are passed over."""
