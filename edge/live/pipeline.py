"""Streams of a run and the loop over them: the same live, fast or replayed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ..bundle.manifest import FramingName
from ..clock import SECOND_NS, to_ns
from ..preprocess.detector_choice import DetectorName
from ..preprocess.framing import make_framing
from ..wire.messages import Message
from .active_speaker import ActiveSpeaker
from .loop import Loop
from .people import People
from .pictures import PicturePublisher
from .recognizer import Recognizer
from .reporter import DropCounter, Reporter
from .steady_state_config import SteadyStateConfig
from .stream import Stream, ignore_framed
from .stream_runner import Failures, StreamRunner


class StreamSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Specification of one stream for the loop."""

    name: str
    audio: bool = msgspec.field(name="sound")
    """True if audio is asked for."""
    video: bool = msgspec.field(name="picture")
    """True if video is asked for."""
    audio_lag_ms: float = msgspec.field(default=0.0, name="sound_lag_ms")
    """Milliseconds by which the audio's capture times have been moved back."""
    recorded: bool = False
    """True for a recording, whose media may be late only because they are read late."""
    delay_ns: Annotated[int, msgspec.Meta(ge=0, le=60 * SECOND_NS)] = 0
    """Time from the begin of the run to that of the stream."""
    people: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Number of people who are followed at most."""


class RunSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the messages of a run depend on, except the bundle and the loop's inputs."""

    session: str
    stream_specs: tuple[StreamSpec, ...] = msgspec.field(name="lanes")
    framing: FramingName
    begin_ns: int
    """Begin of the run; that of a stream's first window is its delay later."""
    hop_ns: int
    """Distance between predictions at the beginning."""
    latest_only: bool
    """True if only the last of a stream's windows that fall due together is predicted."""
    events: SteadyStateConfig
    detector: DetectorName = "cascade"
    """Detector of faces; recordings of earlier versions do not name theirs, which was the cascade."""

    def recording_begins_ns(self) -> dict[str, int]:
        """Return when each recording begins, by the name of its stream."""
        return {each.name: self.begin_ns + each.delay_ns for each in self.stream_specs if each.recorded}


@dataclass(frozen=True)
class Pipeline:
    """Loop, its streams, and the errors that have ended some of them."""

    loop: Loop
    streams: list[StreamRunner]
    failures: Failures


def build_pipeline(
    run_spec: RunSpec, recognizer: Recognizer, publish: Callable[[Message], None], *, shows_picture: bool = False
) -> Pipeline:
    """Build the streams and the loop of a run, ready for the first input; pictures are published only if asked for."""
    failures = Failures(len(run_spec.stream_specs))
    runners = [
        StreamRunner(
            index,
            *build_stream(run_spec, stream_spec, recognizer, publish, shows_picture=shows_picture),
            failures,
            read_from_ns=run_spec.begin_ns + stream_spec.delay_ns if stream_spec.recorded else math.inf,
        )
        for index, stream_spec in enumerate(run_spec.stream_specs)
    ]
    return Pipeline(Loop(runners, recognizer, latest_only=run_spec.latest_only), runners, failures)


def build_stream(
    run_spec: RunSpec,
    stream_spec: StreamSpec,
    recognizer: Recognizer,
    publish: Callable[[Message], None],
    *,
    shows_picture: bool = False,
) -> tuple[Stream, Reporter]:
    """Build one stream and its reporter."""
    manifest = recognizer.manifest
    drops = DropCounter(stream_spec.name)
    video = manifest.video
    framing = make_framing(run_spec.framing, video.height, video.width, run_spec.detector, stream_spec.people)
    begin_ns = run_spec.begin_ns + stream_spec.delay_ns
    people = None
    if stream_spec.people > 1:
        people = People(manifest, framing, ActiveSpeaker(begin_ns=begin_ns), begin_ns)
    pictures = PicturePublisher(run_spec.session, stream_spec.name, publish, people) if shows_picture else None
    stream = Stream(
        manifest,
        framing,
        audio=stream_spec.audio,
        video=stream_spec.video,
        begin_ns=begin_ns,
        hop_ns=run_spec.hop_ns,
        audio_lag_ns=to_ns(stream_spec.audio_lag_ms / 1000),
        on_drop=drops.add,
        on_framed=pictures.add if pictures else ignore_framed,
        people=people,
    )
    return stream, Reporter(run_spec.session, stream, drops, manifest, run_spec.events, publish)
