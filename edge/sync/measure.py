"""Measurement of skew on a recording, or on a camera and a microphone for a while."""

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from ..clock import Clock, to_ns
from ..preprocess.media import Media
from ..sources.base import Recording, Source
from ..sources.capture import Capture
from ..system.signals import interruptible
from .onsets import Evidence

SETTLING_S = 3.0
"""Left out of a measurement: cameras find their exposure, sound servers their delay."""


def look_through(recording: Recording, until_ns: int) -> Evidence:
    """What a recording shows up to a time."""
    evidence = Evidence()
    for item in recording.read():
        if item.end_ns > until_ns:
            break
        evidence.add(item)
    return evidence


def watch(sources: Sequence[Source], clock: Clock, seconds: float) -> Evidence:
    """What a camera and a microphone show for a while; SourceError where one of them is lost meanwhile."""
    evidence = Evidence()
    errors: list[Exception] = []
    with interruptible() as stop, ExitStack() as opened:
        for source in sources:
            source.open()
            opened.callback(source.close)
        begin_ns = clock.now_ns() + to_ns(SETTLING_S)

        def put(item: Media) -> bool:
            if item.end_ns >= begin_ns:
                evidence.add(item)
            return True

        def ended(error: Exception | None) -> None:
            if error:
                errors.append(error)
                stop.set()

        read_for(sources, put, ended, stop, SETTLING_S + seconds)
    if errors:
        raise errors[0]
    return evidence


def read_for(
    sources: Sequence[Source],
    put: Callable[[Media], bool],
    ended: Callable[[Exception | None], None],
    stop: threading.Event,
    seconds: float,
) -> None:
    """Read all sources at once."""
    captures = [Capture(source, put, ended, stop, is_open=True, reopen=False) for source in sources]
    for capture in captures:
        capture.start()
    stop.wait(seconds)
    stop.set()
    for capture in captures:
        capture.finish()
