"""Windows of a stream: due, and cut with their evidence."""

from dataclasses import dataclass
from typing import NamedTuple

from ..preprocess.framing import FramingResult
from ..preprocess.media import Embedding, Samples
from ..wire.messages import AudioState, VideoState
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


class DueWindow(NamedTuple):
    """Window that has fallen due."""

    end_ns: int
    late: int
    """Number of earlier windows that were due as well and are passed over."""
