"""Judge of a scene: one window through the runtime's own loop, and what is published of it."""

from typing import NamedTuple

import numpy as np

from edge.backends.base import Backend
from edge.bundle.manifest import FramingName, Manifest
from edge.clock import SECOND_NS
from edge.geometry import Box
from edge.live.inbox import Delivery, LoopInput
from edge.live.loop import Loop
from edge.live.recognizer import Recognizer
from edge.live.reporter import DropCounter, Reporter
from edge.live.steady_state_config import SteadyStateConfig
from edge.live.stream import Stream
from edge.live.stream_runner import Failures, StreamRunner
from edge.preprocess.detector_choice import DetectorName
from edge.preprocess.framing import make_framing
from edge.preprocess.images import Image
from edge.preprocess.media import BLOCK_S, Block, Frame, Media, Samples
from edge.wire.messages import Message, Prediction, SteadyState

SHOWN_NS = SECOND_NS
"""Time for which an image is shown: enough for the detector to find a face and to follow it."""


class Scene(NamedTuple):
    """Sound and sight of one window, which ends where the sound does."""

    samples: Samples | None = None
    """float32 `[n]`; None for a stream without a microphone."""
    image: Image | None = None
    """uint8 `[H, W, 3]` RGB, shown for the last second; None for a stream without a camera."""
    framing: FramingName | None = None
    """Framing of the image; None for the bundle's own."""


class Judgement(NamedTuple):
    """Output of the runtime for one window."""

    label: str | None
    """Emotion that the prediction names; None where no prediction is published, or it names none (`uncertain`)."""
    confidence: float
    """Confidence of the prediction; 0 without one."""
    probs: list[float] | None
    """Probabilities `[C]`; None without a prediction."""
    is_steady: bool
    """True if the steady state that begins with this window names an emotion."""
    box: Box | None
    """Box of the face; None without a face."""


SILENT = Judgement(None, 0.0, None, False, None)
"""Judgement of a window of which nothing is published."""


class Judge:
    """Bundle on a backend that judges scenes."""

    def __init__(self, manifest: Manifest, backend: Backend, detector: DetectorName) -> None:
        self.manifest, self.detector = manifest, detector
        self.recognizer = Recognizer(manifest, backend)

    def __call__(self, scene: Scene) -> Judgement:
        """Return what the runtime publishes of the window that ends where the scene does."""
        messages: list[Message] = []
        media, end_ns = media_of(scene, self.manifest)
        video = self.manifest.video
        stream = Stream(
            self.manifest,
            make_framing(
                scene.framing or video.framing if scene.image is not None else "whole",
                video.height,
                video.width,
                self.detector,
            ),
            audio=scene.samples is not None,
            video=scene.image is not None,
            begin_ns=0,
            hop_ns=end_ns,
        )
        drops, failures = DropCounter("field"), Failures(1)
        reporter = Reporter("field", stream, drops, self.manifest, SteadyStateConfig(), messages.append)
        loop = Loop([StreamRunner(0, stream, reporter, failures)], self.recognizer, latest_only=False)
        loop.run_once(LoopInput(end_ns, 0, end_ns, [Delivery(0, item) for item in media], [{}]))
        failures.raise_any()
        return judgement(messages)


def media_of(scene: Scene, manifest: Manifest) -> tuple[list[Media], int]:
    """Return a scene's blocks of 20 ms and its frames by time, and the end of its window."""
    rate_hz = manifest.audio.rate_hz
    samples = np.zeros(0, np.float32) if scene.samples is None else scene.samples
    end_ns = max(2 * SHOWN_NS, len(samples) * SECOND_NS // rate_hz)
    size = round(BLOCK_S * rate_hz)
    media: list[Media] = [
        Block(samples[first : first + size], end_ns - max(0, len(samples) - first - size) * SECOND_NS // rate_hz)
        for first in range(0, len(samples), size)
    ]
    if scene.image is not None:
        frames = max(1, round(SHOWN_NS / SECOND_NS * manifest.video.rate_hz))
        media += [Frame(scene.image, end_ns - 1 - k * SHOWN_NS // frames) for k in reversed(range(frames))]
    return sorted(media, key=lambda item: item.end_ns), end_ns


def judgement(messages: list[Message]) -> Judgement:
    """Return the judgement in the messages of one window."""
    found = SILENT
    for message in messages:
        if isinstance(message, Prediction):
            label = message.label if message.label in message.labels else None
            found = found._replace(
                label=label, confidence=message.confidence, probs=message.probs, box=message.video.box
            )
        elif isinstance(message, SteadyState):
            found = found._replace(is_steady=message.label in message.labels)
    return found
