"""The streams of a run, each with its reporter, and the loop over them: the same live, fast or replayed."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ..bundle.manifest import FramingName
from ..clock import to_ns
from ..preprocess.framing import make_framing
from ..wire.messages import Message
from .loop import Loop
from .recognizer import Recognizer
from .reporter import Reporter
from .steady_state_config import SteadyStateConfig
from .stream import Stream


class StreamSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the loop has to know of one stream."""

    name: str
    audio: bool = msgspec.field(name="sound")
    """Whether sound is asked for."""
    video: bool = msgspec.field(name="picture")
    """Whether pictures are asked for."""
    audio_lag_ms: float = msgspec.field(default=0.0, name="sound_lag_ms")
    """By how much the sound's times have been moved back."""


class RunSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the messages of a run follow from, but for the bundle and the steps."""

    session: str
    stream_specs: tuple[StreamSpec, ...] = msgspec.field(name="lanes")
    framing: FramingName
    begin_ns: int
    """Where the first window begins."""
    hop_ns: int
    """Between predictions, at the beginning."""
    latest_only: bool
    """Whether of a stream's windows that fall due together only the last is predicted."""
    events: SteadyStateConfig


@dataclass(frozen=True)
class Pipeline:
    """A loop and the reporters of its streams."""

    loop: Loop
    reporters: list[Reporter]

    @property
    def predictions(self) -> list[int]:
        """How many each stream has had."""
        return [reporter.predictions for reporter in self.reporters]


def build_pipeline(run_spec: RunSpec, recognizer: Recognizer, publish: Callable[[Message], None]) -> Pipeline:
    """Streams, reporters and loop, ready for the first step."""
    manifest = recognizer.manifest
    video = manifest.video
    streams = [
        Stream(
            manifest,
            make_framing(run_spec.framing, video.height, video.width),
            audio=stream_spec.audio,
            video=stream_spec.video,
            begin_ns=run_spec.begin_ns,
            hop_ns=run_spec.hop_ns,
            audio_lag_ns=to_ns(stream_spec.audio_lag_ms / 1000),
        )
        for stream_spec in run_spec.stream_specs
    ]
    reporters = [
        Reporter(
            run_spec.session, stream_spec.name, stream, manifest, recognizer.backend.name, run_spec.events, publish
        )
        for stream_spec, stream in zip(run_spec.stream_specs, streams, strict=True)
    ]
    return Pipeline(Loop(streams, reporters, recognizer, latest_only=run_spec.latest_only), reporters)
