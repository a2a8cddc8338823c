"""Observation of a recording, or of a camera and a microphone, for a measurement of skew."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from ..clock import Clock, to_ns
from ..preprocess.media import Media
from ..sources.base import Recording, Source
from ..sources.capture import Capture
from ..system.signals import interruptible
from .onsets import OnsetDetector

SETTLING_S = 3.0
"""Time left out at the start, while cameras settle their exposure and sound servers their latency."""


def observe_recording(recording: Recording, until_ns: int) -> OnsetDetector:
    """Return a detector of the onsets in a recording up to a time."""
    detector = OnsetDetector()
    for item in recording.read():
        if item.end_ns > until_ns:
            break
        detector.add(item)
    return detector


def observe_devices(sources: Sequence[Source], clock: Clock, seconds: float) -> OnsetDetector:
    """Return a detector of the onsets that live sources capture; raises SourceError if one is lost meanwhile."""
    detector = OnsetDetector()
    errors: list[Exception] = []
    with interruptible() as stop, ExitStack() as opened:
        for source in sources:
            source.open()
            opened.callback(source.close)
        begin_ns = clock.now_ns() + to_ns(SETTLING_S)

        def put(item: Media) -> bool:
            if item.end_ns >= begin_ns:
                detector.add(item)
            return True

        def ended(error: Exception | None) -> None:
            if error:
                errors.append(error)
                stop.set()

        read_for(sources, put, ended, stop, SETTLING_S + seconds)
    if errors:
        raise errors[0]
    return detector


def read_for(
    sources: Sequence[Source],
    put: Callable[[Media], bool],
    ended: Callable[[Exception | None], None],
    stop: threading.Event,
    seconds: float,
) -> None:
    """Read all sources at the same time, for `seconds` or until `stop` is set."""
    captures = [Capture(source, put, ended, stop, is_open=True, reopen=False) for source in sources]
    for capture in captures:
        capture.start()
    stop.wait(seconds)
    stop.set()
    for capture in captures:
        capture.finish()
