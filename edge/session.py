"""One run of the runtime, put together from what the user asked for."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .bundle import Manifest, load
from .choice import Wanted, open_backend
from .clock import Clock, SystemClock, to_ns
from .engines.provide import Workshop
from .errors import SourceError, UsageError
from .framing import FramingName, make_framing
from .inbox import Inbox
from .messages import DROP_REASONS, Message, WireFormat
from .publisher import Publisher, stamped
from .recognizer import Recognizer
from .runtime import Predictor, run_fast, run_live
from .sources.base import Recording, Source
from .sources.camera import make_camera
from .sources.capture import Capture
from .sources.demo import Demo
from .sources.media import MediaFile
from .sources.microphone import Microphone
from .sources.paced import Paced
from .stream import Stream

OFF = "off"

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What the user asked for."""

    camera: str
    """A number, device path, GStreamer string or address; `off` for none."""
    mic: str
    """`default`, a number or part of a name; `off` for none."""
    file: Path | None
    """A recording, in place of the devices; `camera` and `mic` then only say what of it is `off`."""
    demo: bool
    """The program's own clip, in place of the devices."""
    fast: bool
    """A recording as quickly as possible, not in its own time."""
    bundle: Path
    framing: FramingName | None
    """None: the bundle's."""
    hop_s: float
    stream: str
    bind: str
    wire_format: WireFormat
    backend: Wanted
    threads: int


def run(
    settings: Settings,
    stop: threading.Event,
    workshop: Workshop,
    on_start: Callable[[str], None],
    on_sent: Callable[[Message], None],
) -> None:
    """Run until the recording ends or `stop` is set.

    `workshop` builds engines where TensorRT needs them, `on_start` gets a line about what runs where, `on_sent` each
    message once it is out. FoalError where something that was asked for cannot be had.
    """
    check(settings)
    bundle = load(settings.bundle)
    backend, reason = open_backend(bundle, settings.backend, settings.threads, workshop)
    recognizer = Recognizer(bundle.manifest, backend)
    recording = make_recording(settings, bundle.manifest)
    clock = SystemClock()
    dropped: Counter[str] = Counter(dict.fromkeys(DROP_REASONS, 0))
    stamp: Callable[[Message], Message] = as_it_is if settings.fast else lambda message: stamped(message, clock)
    publisher = Publisher(settings.bind, settings.wire_format, dropped, stamp, on_sent)

    def tell(names: str) -> None:
        model = f"{bundle.manifest.name} {bundle.manifest.version} on {backend.name} ({reason})"
        on_start(f"{model}, {names}, publishing at {publisher.address}")

    try:
        if recording and settings.fast:
            tell(recording.name)
            stream = make_stream(settings, bundle.manifest, begin_ns=0)
            predictor = Predictor(settings.stream, stream, recognizer, as_it_is, dropped, publisher.publish_each)
            run_fast(predictor, recording, stop)
        else:
            inbox = Inbox(dropped)
            if recording:
                begin_ns = clock.now_ns()
                paced = Paced(recording, clock, begin_ns, stop)
                captures = [Capture(paced, inbox, stop, is_open=True, reopen=False)]
            else:
                devices = make_devices(settings, bundle.manifest, clock, dropped)
                captures = open_devices(devices, inbox, stop)
                begin_ns = clock.now_ns()
            tell(" and ".join(capture.name for capture in captures))
            stream = make_stream(settings, bundle.manifest, begin_ns)
            predictor = Predictor(settings.stream, stream, recognizer, clock.unix_ns, dropped, publisher.publish)
            run_live(predictor, inbox, captures, clock, stop)
    finally:
        publisher.close()
    if recording and not predictor.predictions and not stop.is_set():
        raise SourceError(
            f"{recording.name} gave no window: it is shorter than the hop of {settings.hop_s} s, or shows no face "
            "and has no sound; give a longer clip or a shorter --hop"
        )


def as_it_is(value: T) -> T:
    """Leaves a recording's times alone where it is not played in its own time."""
    return value


def check(settings: Settings) -> None:
    """UsageError where the options cannot be meant together."""
    recorded = settings.file is not None or settings.demo
    if settings.camera == OFF and settings.mic == OFF:
        raise UsageError("--camera off and --mic off leave nothing to go by; give one of them")
    if settings.file is not None and settings.demo:
        raise UsageError(f"--demo and --file {settings.file} are two recordings; give one of them")
    if settings.fast and not recorded:
        raise UsageError("--fast is for a recording; give --file or --demo with it")
    if not settings.stream.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"--stream {settings.stream!r} is no name; use letters, digits, - and _ (a dot ends a topic)")


def make_recording(settings: Settings, manifest: Manifest) -> Recording | None:
    """The file or the demo that was asked for, None where the devices were."""
    sound = manifest.sound if settings.mic != OFF else None
    picture = manifest.picture if settings.camera != OFF else None
    if settings.demo:
        return Demo(sound, picture)
    return MediaFile(settings.file, sound, picture) if settings.file else None


def make_devices(settings: Settings, manifest: Manifest, clock: Clock, dropped: Counter[str]) -> list[Source]:
    """The camera and the microphone that were asked for."""
    devices: list[Source] = []
    if settings.camera != OFF:
        devices.append(make_camera(settings.camera, manifest.picture, clock))
    if settings.mic != OFF:
        devices.append(Microphone(settings.mic, manifest.sound, clock, dropped))
    return devices


def open_devices(devices: list[Source], inbox: Inbox, stop: threading.Event) -> list[Capture]:
    """Open what can be opened; the rest is tried again while the program runs. SourceError where nothing opens."""
    captures: list[Capture] = []
    errors: list[SourceError] = []
    for device in devices:
        is_open = True
        try:
            device.open()
        except SourceError as error:
            is_open = False
            errors.append(error)
        captures.append(Capture(device, inbox, stop, is_open=is_open, reopen=True))
    if len(errors) == len(devices):
        raise SourceError("\n".join(str(error) for error in errors))
    for missing in errors:
        log.warning("%s. Going on without it; it is tried again from now on", missing)
    return captures


def make_stream(settings: Settings, manifest: Manifest, begin_ns: int) -> Stream:
    """The one stream of this run."""
    picture = manifest.picture
    return Stream(
        manifest,
        make_framing(settings.framing or picture.framing, picture.height, picture.width),
        sound=settings.mic != OFF,
        picture=settings.camera != OFF,
        begin_ns=begin_ns,
        hop_ns=to_ns(settings.hop_s),
    )
