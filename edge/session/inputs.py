"""Inputs of a run: recordings and devices that the user asked for, and the captures that read them."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from ..bundle.manifest import Manifest, VideoSpec
from ..clock import Clock, to_ns
from ..errors import SourceError
from ..live.active_speaker import MOUTH_RATE_HZ
from ..live.inbox import MOST_FRAMES, Inbox
from ..preprocess.media import Media
from ..sources.adapters import Paced, Shifted, ShiftedRecording
from ..sources.base import Recording, Source, source_error
from ..sources.capture import Capture
from ..sources.demo import Demo
from ..sources.devices import make_camera
from ..sources.location import parse_location
from ..sources.looped import Looped
from ..sources.media import MediaFile
from ..sources.microphone import Microphone
from ..sources.track_selection import TrackNumbers
from .config import StreamConfig

WITHOUT_DEVICES = "without devices, foal-edge --demo shows what a run is, and --file plays a recording"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamInput:
    """Input of one stream: a recording, or the devices of its settings."""

    index: int
    """Index of the stream, in the order of the run's streams."""
    config: StreamConfig
    recording: Recording | None
    """Recording of the stream; None where it has devices."""
    dropped: Counter[str]
    """Items dropped before they reach the loop, by reason."""
    rate_hz: int
    """Rate of its audio."""
    most_frames: int = MOST_FRAMES
    """Number of frames that may wait for the loop."""

    @property
    def captures(self) -> int:
        """Number of threads that read the stream: one for each device, one for a recording."""
        return 1 if self.config.is_recorded else self.config.wants_video + self.config.wants_audio


def video_spec(config: StreamConfig, manifest: Manifest) -> VideoSpec:
    """Return what is taken of a stream's video: the bundle's frames, and for several people those that show mouths."""
    if config.people == 1:
        return manifest.video
    return msgspec.structs.replace(manifest.video, rate_hz=max(manifest.video.rate_hz, MOUTH_RATE_HZ))


def make_recording(
    config: StreamConfig, manifest: Manifest, dropped: Counter[str] | None = None, *, in_real_time: bool = False
) -> Recording | None:
    """Make the file or demo that was asked for, None for devices; what of it is left out is counted in `dropped`."""
    if not config.is_recorded:
        return None
    audio = manifest.audio if config.wants_audio else None
    video = video_spec(config, manifest) if config.wants_video else None
    recording: Recording
    if config.file:
        numbers = TrackNumbers(config.audio_track, config.video_track)
        recording = MediaFile(parse_location(config.file), audio, video, numbers, dropped, in_real_time=in_real_time)
    else:
        recording = Demo(audio, video)
    if config.av_offset_ms:
        recording = ShiftedRecording(recording, to_ns(config.av_offset_ms / 1000))
    return Looped(recording, video_spec(config, manifest).rate_hz) if config.loop else recording


class Unopened:
    """Recording that cannot be opened: its stream ends with the error, and no other."""

    def __init__(self, name: str, error: SourceError) -> None:
        self.name, self._error = name, error

    def read(self) -> Iterator[Media]:
        """Raise the error."""
        yield from ()
        raise self._error


def make_inputs(
    configs: Sequence[StreamConfig], manifest: Manifest, *, in_real_time: bool = False
) -> list[StreamInput]:
    """Make the input of each stream, with recordings opened; SourceError where not one of the streams can be had."""
    inputs: list[StreamInput] = []
    errors: list[SourceError] = []
    for index, config in enumerate(configs):
        dropped = Counter[str]()
        recording: Recording | None
        try:
            recording = make_recording(config, manifest, dropped, in_real_time=in_real_time)
        except SourceError as error:
            errors.append(error)
            recording = Unopened(f"stream {config.name}", error)
        most = MOST_FRAMES if config.people == 1 else round(video_spec(config, manifest).rate_hz)
        inputs.append(StreamInput(index, config, recording, dropped, manifest.audio.rate_hz, most))
    if len(errors) == len(configs):
        raise SourceError("\n".join(str(error) for error in errors)) from errors[0]
    return inputs


def make_inbox(inputs: Sequence[StreamInput]) -> Inbox:
    """Make the inbox of all streams; it counts its drops where the inputs do."""
    return Inbox(*zip(*((each.captures, each.dropped, each.most_frames) for each in inputs), strict=True))


def make_devices(config: StreamConfig, manifest: Manifest, clock: Clock, dropped: Counter[str]) -> list[Source]:
    """Make the camera and the microphone that were asked for."""
    devices: list[Source] = []
    if config.wants_video:
        devices.append(make_camera(str(config.camera), video_spec(config, manifest), clock, dropped))
    if config.wants_audio:
        microphone = Microphone(str(config.mic), manifest.audio, clock, dropped)
        devices.append(Shifted(microphone, to_ns(config.av_offset_ms / 1000)) if config.av_offset_ms else microphone)
    return devices


def open_devices(
    inputs: Sequence[StreamInput], manifest: Manifest, inbox: Inbox, clock: Clock, stop: threading.Event
) -> list[Capture]:
    """Make captures of all devices and open those that can be; the others are retried while the program runs.

    SourceError where nothing at all opens and there is no recording.
    """
    captures: list[Capture] = []
    errors: list[SourceError] = []
    for each in inputs:
        if each.config.is_recorded:
            continue
        for device in make_devices(each.config, manifest, clock, each.dropped):
            error = try_open(device)
            errors += [error] if error else []
            put, end = partial(inbox.put, each.index), partial(inbox.end, each.index)
            captures.append(Capture(device, put, end, stop, is_open=error is None, reopen=True))
    if errors and len(errors) == len(captures) and not any(each.config.is_recorded for each in inputs):
        raise SourceError("\n".join([*(str(error) for error in errors), WITHOUT_DEVICES]))
    for missing in errors:
        log.warning("%s. Going on without it; it is tried again from now on", missing)
    return captures


def pace(
    inputs: Sequence[StreamInput],
    inbox: Inbox,
    clock: Clock,
    begin_ns: Callable[[int], int | None],
    stop: threading.Event,
) -> list[Capture]:
    """Make captures of the recordings, each played as if it began at the time that `begin_ns` waits for.

    It is called with the index of the stream.
    """
    return [
        Capture(
            Paced(
                each.recording,
                clock,
                partial(begin_ns, each.index),
                stop,
                each.rate_hz,
                partial(inbox.due, each.index),
            ),
            partial(inbox.put, each.index),
            partial(inbox.end, each.index),
            stop,
            is_open=True,
            reopen=False,
        )
        for each in inputs
        if each.recording is not None
    ]


def try_open(device: Source) -> SourceError | None:
    """Open a device; return the error where it cannot be opened."""
    try:
        device.open()
    except Exception as error:  # a driver may raise anything
        log.debug("%s", device.name, exc_info=error)
        return source_error(device.name, error)
    return None
