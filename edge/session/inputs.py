"""From what the user asked for to what delivers it: a run's recordings and devices, and the captures that read them."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from ..bundle.manifest import Manifest
from ..clock import Clock, to_ns
from ..errors import SourceError
from ..live.inbox import Inbox
from ..preprocess.media import Media
from ..sources.adapters import Paced, Shifted, ShiftedRecording
from ..sources.base import Recording, Source, source_error
from ..sources.camera import make_camera
from ..sources.capture import Capture
from ..sources.demo import Demo
from ..sources.location import named
from ..sources.media import MediaFile
from ..sources.microphone import Microphone
from ..sources.track_selection import Numbers
from .config import StreamConfig

log = logging.getLogger(__name__)


def make_recording(config: StreamConfig, manifest: Manifest, dropped: Counter[str] | None = None) -> Recording | None:
    """The file or the demo that was asked for, None where devices were. What of it is left out counts in `dropped`."""
    if not config.is_recorded:
        return None
    audio = manifest.audio if config.wants_audio else None
    video = manifest.video if config.wants_video else None
    recording: Recording
    if config.file:
        numbers = Numbers(config.audio_track, config.video_track)
        recording = MediaFile(named(config.file), audio, video, numbers, dropped)
    else:
        recording = Demo(audio, video)
    return ShiftedRecording(recording, to_ns(config.av_offset_ms / 1000)) if config.av_offset_ms else recording


class Unopened:
    """A recording that cannot be opened: its stream ends with that, and no other."""

    def __init__(self, name: str, error: SourceError) -> None:
        self.name, self._error = name, error

    def read(self) -> Iterator[Media]:
        """None; raises what was in the way."""
        yield from ()
        raise self._error


def make_recordings(
    configs: Sequence[StreamConfig], manifest: Manifest, dropped: Sequence[Counter[str]]
) -> list[Recording | None]:
    """Each stream's recording, None where it has devices. SourceError where none at all of the streams can be had."""
    recordings: list[Recording | None] = []
    errors: list[SourceError] = []
    for config, counts in zip(configs, dropped, strict=True):
        try:
            recordings.append(make_recording(config, manifest, counts))
        except SourceError as error:
            errors.append(error)
            recordings.append(Unopened(f"stream {config.name}", error))
    if len(errors) == len(configs):
        raise SourceError("\n".join(str(error) for error in errors)) from errors[0]
    return recordings


def make_devices(config: StreamConfig, manifest: Manifest, clock: Clock, dropped: Counter[str]) -> list[Source]:
    """The camera and the microphone that were asked for."""
    devices: list[Source] = []
    if config.wants_video:
        devices.append(make_camera(str(config.camera), manifest.video, clock, dropped))
    if config.wants_audio:
        microphone = Microphone(str(config.mic), manifest.audio, clock, dropped)
        devices.append(Shifted(microphone, to_ns(config.av_offset_ms / 1000)) if config.av_offset_ms else microphone)
    return devices


def count_captures(config: StreamConfig) -> int:
    """How many threads read a stream: one a device, one for a recording."""
    return 1 if config.is_recorded else config.wants_video + config.wants_audio


def open_devices(
    configs: Sequence[StreamConfig], manifest: Manifest, inbox: Inbox, clock: Clock, stop: threading.Event
) -> list[Capture]:
    """Captures of all devices, opened where they can be; the others are tried again while the program runs.

    SourceError where nothing at all opens and no recording is there.
    """
    captures: list[Capture] = []
    errors: list[SourceError] = []
    for index, config in enumerate(configs):
        if config.is_recorded:
            continue
        for device in make_devices(config, manifest, clock, inbox.dropped[index]):
            error = try_open(device)
            errors += [error] if error else []
            put, end = partial(inbox.put, index), partial(inbox.end, index)
            captures.append(Capture(device, put, end, stop, is_open=error is None, reopen=True))
    if errors and len(errors) == len(captures) and not any(config.is_recorded for config in configs):
        raise SourceError("\n".join(str(error) for error in errors))
    for missing in errors:
        log.warning("%s. Going on without it; it is tried again from now on", missing)
    return captures


def pace(
    recordings: Sequence[Recording | None], inbox: Inbox, clock: Clock, begin_ns: int, stop: threading.Event
) -> list[Capture]:
    """Captures of the recordings, each played as if it began at `begin_ns`."""
    return [
        Capture(
            Paced(recording, clock, begin_ns, stop),
            partial(inbox.put, index),
            partial(inbox.end, index),
            stop,
            is_open=True,
            reopen=False,
        )
        for index, recording in enumerate(recordings)
        if recording is not None
    ]


def try_open(device: Source) -> SourceError | None:
    """Open a device; what was in the way."""
    try:
        device.open()
    except Exception as error:  # a driver may raise anything
        log.debug("%s", device.name, exc_info=error)
        return source_error(device.name, error)
    return None
