"""Configuration of a run, from a file or the command line: its streams and all other settings.

Every default stands here and nowhere else.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ..backends.registry import AUTO as BEST_BACKEND
from ..backends.registry import SCHEMES, choices, expected, is_address
from ..bundle.load import SHIPPED
from ..bundle.manifest import FramingName
from ..errors import UsageError
from ..live.steady_state_config import SteadyStateConfig
from ..preprocess.detector_choice import DetectorChoice
from ..sources.names import DEFAULT
from ..system.files import check_file, is_there
from ..validation import UNREADABLE, explain
from ..wire.addresses import AUTO as AUTO
from ..wire.addresses import DEFAULT_ADDRESS, MAX_PORT, OFF, publishing_address
from ..wire.messages import WireFormat

HOP_S = 0.5
"""Default hop in seconds; `auto` begins with it and comes back to it."""

NAME_FORM = "at most 64 letters, digits, - and _, with a letter or a digit among them"
Device = str | int
TrackNumber = Annotated[int, Meta(ge=0)]
BackendChoice = Annotated[
    str, Meta(pattern=rf"^({'|'.join(choices())}|({'|'.join(SCHEMES)})://.+)\Z", description=f"one of {expected()}")
]
MOST_PEOPLE = 8
"""Most people who are followed before one camera."""
Offset = Annotated[float, Meta(ge=-5000, le=5000)]


class StreamConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Configuration of a stream: a camera and a microphone that belong together, or a recording in their place."""

    name: Annotated[str, Meta(pattern="^[-_]*[A-Za-z0-9][-_A-Za-z0-9]*$", max_length=64, description=NAME_FORM)] = (
        "main"
    )
    """Name of the stream, part of its topics: at most 64 letters, digits, - and _."""
    camera: Device = DEFAULT
    """Camera: `default` for the first one of this machine, a number, device path, GStreamer string or address; `off`
    for none."""
    mic: Device = DEFAULT
    """Microphone: `default`, a number or part of a name; `off` for none."""
    file: str | None = None
    """Path or address of a recording, in place of the devices; `camera` and `mic` then only say what of it is `off`."""
    audio_track: TrackNumber | None = None
    """Number of the recording's audio track, counted from 0; null for the best."""
    video_track: TrackNumber | None = None
    """Number of the recording's video track, counted from 0; null for the best."""
    demo: bool = False
    """True for the program's own clip, in place of the devices."""
    people: Annotated[int, Meta(ge=1, le=MOST_PEOPLE)] = 1
    """Number of people before the camera who are followed at most, each with predictions of their own."""
    loop: bool = False
    """True to play the recording or the demo again and again, with times that go on."""
    av_offset_ms: Offset = 0.0
    """Milliseconds added to the audio's capture times, as measured by `devices --measure-sync`."""

    @property
    def is_recorded(self) -> bool:
        """True if a recording stands in place of devices."""
        return self.demo or self.file is not None

    @property
    def wants_video(self) -> bool:
        """True if video is asked for."""
        return self.camera != OFF

    @property
    def wants_audio(self) -> bool:
        """True if audio is asked for."""
        return self.mic != OFF


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Configuration of one run."""

    streams: Annotated[tuple[StreamConfig, ...], Meta(min_length=1)] = (StreamConfig(),)
    fast: bool = False
    """True to play recordings as quickly as possible, not in their own time."""
    bundle: str = str(SHIPPED)
    """Folder of the bundle, or the name of one that comes with the package."""
    framing: FramingName | None = None
    """Framing of images; null for the bundle's."""
    detector: DetectorChoice = "auto"
    """Detector of faces; `auto` for CenterFace where its weights are installed, else OpenCV's cascade."""
    hop_s: Annotated[float, Meta(ge=0.05, le=60)] | Literal["auto"] = HOP_S
    """Seconds between predictions; `auto` begins at 0.5 and stretches to what the machine sustains."""
    events: SteadyStateConfig = SteadyStateConfig()
    """Parameters of the steady state."""
    backend: BackendChoice = BEST_BACKEND
    fallback: Literal["none", "local"] = "none"
    """`local` to compute on this machine while the server of `backend` does not answer."""
    threads: Annotated[int, Meta(ge=0)] = 0
    """Number of cores for inference; 0 for all."""
    bind: str = AUTO
    """Address to publish at, `off`, or `auto` for tcp://127.0.0.1:5556, and for `off` where `fast`."""
    control: str = AUTO
    """Address of the control port, `off`, or `auto` for the port after `bind`'s, if any."""
    allow_stop: bool = False
    """True if the control port may end the program."""
    format: WireFormat = "msgpack"
    keys: str | None = None
    """Folder of CURVE keys, made by `foal-edge keys`: clients without keys are refused."""
    insecure: bool = False
    """True if a public address may do without keys."""
    metrics_port: Annotated[int, Meta(ge=0, le=MAX_PORT)] | None = None
    """Loopback port of the Prometheus page, 0 for any; null for none."""
    view: bool = False
    """True for a page beside the run, which shows what it publishes."""
    show_picture: bool = False
    """True if small pictures of what the cameras see are published as well."""
    record: str | None = None
    """Folder in which the run's messages are recorded; null for none."""
    record_media: bool = False
    """True if audio and video are recorded as well, for replay."""

    @property
    def address(self) -> str | None:
        """Address to publish at; None for nowhere."""
        return publishing_address(self.bind, self.fast)

    @property
    def first_hop_s(self) -> float:
        """Seconds between predictions at the beginning."""
        return self.hop_s if isinstance(self.hop_s, float) else HOP_S


MAY_BE_OFF = ("camera", "mic", "bind", "control")
"""Keys whose value may be `off`, which YAML reads as false where it is unquoted."""
STREAM_KEYS = StreamConfig.__struct_fields__
NEXT_KEY = re.compile(rf",\s*(?=(?:{'|'.join(STREAM_KEYS)})=)")
UNKNOWN_KEY = re.compile(r",\s*([a-z_]+)=")
"""Pattern of a misspelt key inside a value. GStreamer strings may contain such keys; they contain a `!` as well."""


def parse_stream(text: str, defaults: dict[str, Any]) -> StreamConfig:
    """Parse `name=lobby,camera=0,mic=default`, or a name alone; anything else is as in `defaults`.

    Commas separate only before a key, so that a GStreamer string may have its own.
    """
    parts = NEXT_KEY.split(text) if "=" in text else [f"name={text}"]
    said: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.strip().partition("=")
        if key not in STREAM_KEYS:
            raise UsageError(f"--stream {text!r}: {key!r} is none of {', '.join(STREAM_KEYS)}")
        if key in said:
            raise UsageError(f"--stream {text!r} gives {key} twice; give it once")
        if "!" not in value and (other := UNKNOWN_KEY.search(value)):
            raise UsageError(f"--stream {text!r}: {other[1]!r} is none of {', '.join(STREAM_KEYS)}")
        said[key] = value
    stream: StreamConfig = build({**defaults, **said}, StreamConfig, f"--stream {text!r}")
    return stream


def load_config(path: Path | None, said: dict[str, Any]) -> Config:
    """Build the configuration of a file, overridden by the command line; UsageError names what is wrong and where."""
    settings = read(path) if path else {}
    return checked(build({**settings, **said}, Config, str(path) if path else "the command line"))


def read(path: Path) -> dict[str, Any]:
    """Read a YAML file's top-level map; a relative `file`, `bundle`, `keys` or `record` is taken as it stands."""
    if is_there(path):
        check_file(path, "give a YAML file")
    try:
        document = msgspec.yaml.decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read --config {path}: {error.strerror}; give a YAML file") from error
    except UNREADABLE as error:
        raise UsageError(f"--config {path} is no YAML: {explain(error, None)}") from error
    if not isinstance(document, dict):
        raise UsageError(f"--config {path} holds {type(document).__name__}; it needs a map like `streams: [...]`")
    streams = document.get("streams")
    for part in (document, *(streams if isinstance(streams, list) else ())):
        for key in MAY_BE_OFF:
            if isinstance(part, dict) and part.get(key) is False:
                part[key] = OFF
    return document


def build(settings: dict[str, Any], kind: type[Any], where: str) -> Any:
    """Convert settings to a struct; text is taken for numbers and booleans where those are expected."""
    try:
        return msgspec.convert(settings, kind, strict=False)
    except UNREADABLE as error:
        raise UsageError(f"{where}: {explain(error, settings, kind)}") from error


def check_stream(stream: StreamConfig) -> None:
    """Raise UsageError where the settings of a stream contradict each other."""
    if not stream.wants_video and not stream.wants_audio:
        raise UsageError(f"stream {stream.name}: camera off and mic off leave nothing to go by; give one of them")
    if stream.file == "":
        raise UsageError(f"stream {stream.name}: the name of its file is empty; give a recording or its address")
    if stream.demo and stream.file is not None:
        raise UsageError(f"stream {stream.name}: demo and file {stream.file} are two recordings; give one of them")
    if stream.people > 1 and not stream.wants_video:
        raise UsageError(
            f"stream {stream.name}: --people {stream.people} are told apart by a camera, which is off; leave one out"
        )
    if stream.loop and not stream.is_recorded:
        raise UsageError(f"stream {stream.name}: --loop is for recordings; give --file or --demo with it")
    for option, number in (("audio-track", stream.audio_track), ("video-track", stream.video_track)):
        if number is not None and stream.file is None:
            raise UsageError(f"stream {stream.name}: --{option} {number} is one of a recording's; give --file with it")


def checked(config: Config) -> Config:
    """Return the configuration; UsageError where its parts contradict each other."""
    names = [stream.name for stream in config.streams]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{names.count(name)} streams are called {name!r}; give each a name of its own")
    for stream in config.streams:
        check_stream(stream)
        if config.fast and not stream.is_recorded:
            raise UsageError(f"stream {stream.name}: --fast is for recordings; give --file or --demo with it")
        if config.fast and stream.loop:
            raise UsageError(f"stream {stream.name}: --fast would never end with --loop; give one of them")
    if config.fast and config.hop_s == AUTO:
        raise UsageError("--hop auto follows the machine, --fast does not wait for it; give --hop in seconds")
    if config.fallback == "local" and not is_address(config.backend):
        raise UsageError(
            f"--fallback local is for a server; --backend {config.backend} is none, give triton://HOST:PORT"
        )
    if config.view and config.address is None:
        raise UsageError(f"--view shows what is published, and nothing is; give --bind {DEFAULT_ADDRESS} with it")
    if config.show_picture and config.address is None:
        raise UsageError(f"--show-picture publishes, but --bind is off; give --bind {DEFAULT_ADDRESS} with it")
    if config.record == "":
        raise UsageError("the folder of --record is empty; give a folder, e.g. --record recordings")
    if config.record_media and config.record is None:
        raise UsageError("--record-media says what to record, but not where; give --record DIR")
    return config
