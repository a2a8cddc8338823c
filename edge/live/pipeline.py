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
from .steady_state import Steadying
from .stream import Stream


class Lane(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the loop has to know of one stream."""

    name: str
    sound: bool
    """Whether sound is asked for."""
    picture: bool
    """Whether pictures are asked for."""
    sound_lag_ms: float = 0.0
    """By how much the sound's times have been moved back."""


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the messages of a run follow from, but for the bundle and the steps."""

    session: str
    lanes: tuple[Lane, ...]
    framing: FramingName
    begin_ns: int
    """Where the first window begins."""
    hop_ns: int
    """Between predictions, at the beginning."""
    latest_only: bool
    """Whether of a stream's windows that fall due together only the last is predicted."""
    events: Steadying


@dataclass(frozen=True)
class Lineup:
    """A loop and the reporters of its streams."""

    loop: Loop
    reporters: list[Reporter]

    @property
    def predictions(self) -> list[int]:
        """How many each stream has had."""
        return [reporter.predictions for reporter in self.reporters]


def line_up(course: Course, recognizer: Recognizer, publish: Callable[[Message], None]) -> Lineup:
    """Streams, reporters and loop, ready for the first step."""
    manifest = recognizer.manifest
    picture = manifest.picture
    streams = [
        Stream(
            manifest,
            make_framing(course.framing, picture.height, picture.width),
            sound=lane.sound,
            picture=lane.picture,
            begin_ns=course.begin_ns,
            hop_ns=course.hop_ns,
            sound_lag_ns=to_ns(lane.sound_lag_ms / 1000),
        )
        for lane in course.lanes
    ]
    reporters = [
        Reporter(course.session, lane.name, stream, manifest, recognizer.backend.name, course.events, publish)
        for lane, stream in zip(course.lanes, streams, strict=True)
    ]
    return Lineup(Loop(streams, reporters, recognizer, latest_only=course.latest_only), reporters)
