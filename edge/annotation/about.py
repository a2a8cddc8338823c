"""Note beside an annotation: what it was made of and with. It is written last, so it marks a whole annotation."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..bundle.load import MANIFEST, sha256
from ..errors import UsageError
from ..live.steady_state_config import SteadyStateConfig
from ..session.config import Config
from ..session.model import Model
from ..system.files import replacing
from ..system.printable import from_text
from ..validation import UNREADABLE, explain

SCHEMA = 1


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings that the numbers of an annotation depend on."""

    bundle: str
    """Name and version of the bundle."""
    manifest_sha256: str
    """SHA-256 of the bundle's manifest, which holds the hashes of everything else."""
    backend: str
    """Name of the backend, e.g. `onnxruntime-cpu`."""
    threads: int
    """Cores for inference; 0 for as many as suit the bundle."""
    framing: str
    detector: str
    """Detector of faces."""
    hop_s: float
    """Seconds between predictions."""
    steady_state: SteadyStateConfig
    audio: bool
    """True if audio was wanted."""
    video: bool
    """True if video was wanted."""
    audio_track: int | None
    """Number of the audio track that was asked for; None for the best."""
    video_track: int | None
    """Number of the video track that was asked for; None for the best."""
    people: int = 1
    """Number of people who were followed at most."""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Note of one annotation."""

    recording: str
    """Path of the recording, as it was given."""
    size_bytes: int
    """Size of the recording when it was begun."""
    duration_s: float | None
    """Duration of the recording in seconds, as it states it; None where it does not."""
    settings: Settings
    labels: list[str]
    """Labels of the bundle, in the order of its probabilities."""
    rows: int
    """Number of rows, one a window."""
    files: dict[str, str | None]
    """Name of the file of each format, beside this one; None for a film where the recording has no video."""
    notes: list[str]
    """Warnings of the run, such as of a missing track."""
    versions: dict[str, str]
    """Versions of the packages that computed it."""
    schema: int = SCHEMA
    """Version of this note."""


def settings_of(model: Model, config: Config) -> Settings:
    """Return the settings of annotations by a model."""
    stream = config.streams[0]
    return Settings(
        bundle=model.name,
        manifest_sha256=sha256(model.bundle.folder / MANIFEST),
        backend=model.recognizer.backend.name,
        threads=config.threads,
        framing=model.framing,
        detector=model.detector,
        hop_s=config.first_hop_s,
        steady_state=config.events,
        audio=stream.wants_audio,
        video=stream.wants_video,
        people=stream.people,
        audio_track=stream.audio_track,
        video_track=stream.video_track,
    )


def write_about(about: About, path: Path) -> None:
    """Write a note, whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")


def read_about(path: Path) -> About | None:
    """Read a note; None where there is none, UsageError where it is none of this version."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; give another -o") from error
    try:
        return msgspec.json.decode(content, type=About)
    except UNREADABLE as error:
        problem = explain(error, content, About)
        raise UsageError(f"{path} is no note of foal-edge annotate: {problem}; move it, or give another -o") from error


def missing_formats(recording: Path, path: Path, settings: Settings, formats: Sequence[str]) -> list[str]:
    """Return those of `formats` in which a recording is still to be annotated, `path` being its note.

    UsageError where it was annotated with other settings, or was another file: what is there is not overwritten.
    """
    about = read_about(path)
    if about is None:
        return list(formats)
    if recording.is_file() and (size_bytes := recording.stat().st_size) != about.size_bytes:
        raise UsageError(
            f"{path} is of a recording of {about.size_bytes} bytes, {recording} has {size_bytes}; "
            "give another -o, or --overwrite"
        )
    if difference := describe_difference(about.settings, settings):
        raise UsageError(f"{path} was made with {difference}; give another -o, or --overwrite")
    return [name for name in formats if not has_format(about, name, path.parent)]


def has_format(about: About, name: str, folder: Path) -> bool:
    """Return whether a recording is annotated in a format, or cannot be."""
    file = about.files.get(name, "")
    return file is None or (file != "" and (folder / from_text(file)).exists())


def describe_difference(before: Settings, now: Settings) -> str:
    """Return the settings that differ, for people; empty where none does."""
    pairs = ((name, getattr(before, name), getattr(now, name)) for name in Settings.__struct_fields__)
    return ", ".join(f"{name} {old}, now {new}" for name, old, new in pairs if old != new)
