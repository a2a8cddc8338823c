"""`session.json`: what a recorded run was made of, so that it can be made again."""

import os
import time
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ..bundle.manifest import DIGEST
from ..clock import SECOND_NS
from ..errors import SourceError, UsageError
from ..live.pipeline import RunSpec
from ..system.files import check_file, is_there
from ..validation import UNREADABLE, explain
from ..wire.messages import WireFormat
from .machine import Machine

SCHEMA = 1
ABOUT = "session.json"
MESSAGES = "messages.bin"
STEPS = "steps.bin"
LARGEST_ABOUT = 1 << 20
"""In bytes; that of a few streams has one or two thousand."""

SHORTEST_HOP_NS = 1_000_000

Ns = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Meta(min_length=1)]


class BundleAbout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model that ran."""

    name: Text
    version: Text
    manifest_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description=DIGEST)]
    """Of its `manifest.json`, which holds the hashes of everything else."""
    folder: str
    """Where it was."""


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run."""

    run_spec: RunSpec = msgspec.field(name="course")
    """What the messages followed from, but for the bundle and the steps."""
    software: str
    """Version of the program."""
    start_unix_ns: Ns
    start_mono_ns: Ns
    fast: bool
    """Whether recordings were played as quickly as possible: all times then count from their beginning."""
    bundle: BundleAbout
    backend: Text
    """As published, e.g. `onnxruntime-cpu`."""
    threads: Annotated[int, Meta(ge=0)]
    """Cores for inference; 0 for all."""
    wire_format: WireFormat
    """Of the messages' bodies."""
    schema: int = SCHEMA
    """Of the recording."""
    machine: Machine | None = None
    """What computed it; None in recordings of 0.1.0."""


class SchemaOnly(msgspec.Struct):
    """The one field that every version has."""

    schema: int


def folder_name(about: Session) -> str:
    """By time, then by session; without a colon, which memory cards do not take."""
    started = time.gmtime(about.start_unix_ns // SECOND_NS)
    return f"{time.strftime('%Y-%m-%dT%H-%M-%SZ', started)}_{about.run_spec.session}"


def write_session(folder: Path, about: Session) -> None:
    """Write `session.json`, for its owner alone."""
    text = msgspec.json.format(msgspec.json.encode(about), indent=2)
    with open(os.open(folder / ABOUT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_session(folder: Path) -> Session:
    """What a recording says of its run; SourceError where it is none, is damaged or of another version."""
    path = folder / ABOUT
    if is_there(path, SourceError):
        check_file(path, "give a recording's folder", SourceError)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_ABOUT + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"no recording at {folder}: it has no {ABOUT}; {suggest(folder)}") from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; give a recording's folder") from error
    try:
        schema = msgspec.json.decode(text, type=SchemaOnly).schema
        if schema == SCHEMA:
            return checked(msgspec.json.decode(text, type=Session))
    except UsageError as error:
        raise SourceError(f"{path} is damaged: {error}; take the recording again") from error
    except UNREADABLE as error:
        raise SourceError(f"{path} is damaged: {explain(error, text, Session)}; take the recording again") from error
    raise SourceError(
        f"{path} has schema {schema}, this program reads schema {SCHEMA}; "
        + ("update foal-edge" if schema > SCHEMA else "replay it with the version that recorded it")
    )


def checked(about: Session) -> Session:
    """The same; UsageError where its course cannot be run."""
    run_spec = about.run_spec
    if (
        not run_spec.stream_specs
        or not SHORTEST_HOP_NS <= run_spec.hop_ns < 2**63
        or not -(2**63) <= run_spec.begin_ns < 2**63
    ):
        raise UsageError(
            f"{len(run_spec.stream_specs)} streams with windows every {run_spec.hop_ns} ns "
            f"from {run_spec.begin_ns} ns on"
        )
    return about


def suggest(folder: Path) -> str:
    """The newest recording inside a folder, where the user has named the one that holds them all."""
    inside = sorted(path.parent.name for path in folder.glob(f"*/{ABOUT}"))
    if not inside:
        return "foal-edge --record makes one"
    return f"it holds recordings: give one of them, the latest is {folder / inside[-1]}"
