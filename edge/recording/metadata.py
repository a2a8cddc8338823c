"""Metadata of a recorded run (`session.json`): everything needed to run it again."""

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
METADATA = "session.json"
MESSAGES = "messages.bin"
INPUTS = "steps.bin"
LARGEST_METADATA = 1 << 20
"""Largest size of `session.json`, in bytes; that of a few streams has one or two thousand."""

SHORTEST_HOP_NS = 1_000_000

Ns = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Meta(min_length=1)]


class BundleMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bundle that ran."""

    name: Text
    version: Text
    manifest_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description=DIGEST)]
    """SHA-256 of the bundle's `manifest.json`, which holds the hashes of everything else."""
    folder: str
    """Folder of the bundle."""


class RunMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Metadata of one run."""

    run_spec: RunSpec = msgspec.field(name="course")
    """Specification of the run: the messages depend on it, the bundle and the recorded inputs."""
    software: str
    """Version of the program that recorded."""
    start_unix_ns: Ns
    start_mono_ns: Ns
    fast: bool
    """True if recordings were played as quickly as possible: all times then count from their beginning."""
    bundle: BundleMetadata
    backend: Text
    """Name of the backend, e.g. `onnxruntime-cpu`."""
    threads: Annotated[int, Meta(ge=0)]
    """Cores for inference; 0 for all."""
    wire_format: WireFormat
    """Format of the messages' bodies."""
    schema: int = SCHEMA
    """Version of the recording format."""
    machine: Machine | None = None
    """Machine that computed the messages; None in recordings of 0.1.0."""


class SchemaOnly(msgspec.Struct):
    """Field that every version has."""

    schema: int


def folder_name(about: RunMetadata) -> str:
    """Return a run's folder name: time, then session; without a colon, which memory cards do not take."""
    started = time.gmtime(about.start_unix_ns // SECOND_NS)
    return f"{time.strftime('%Y-%m-%dT%H-%M-%SZ', started)}_{about.run_spec.session}"


def write_metadata(folder: Path, about: RunMetadata) -> None:
    """Write `session.json`, readable by its owner alone."""
    text = msgspec.json.format(msgspec.json.encode(about), indent=2)
    with open(os.open(folder / METADATA, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_metadata(folder: Path) -> RunMetadata:
    """Read a recording's metadata; SourceError where it is no recording, is damaged or of another version."""
    path = folder / METADATA
    if is_there(path, SourceError):
        check_file(path, "give a recording's folder", SourceError)
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_METADATA + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"no recording at {folder}: it has no {METADATA}; {suggest(folder)}") from error
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; give a recording's folder") from error
    try:
        schema = msgspec.json.decode(text, type=SchemaOnly).schema
        if schema == SCHEMA:
            return checked(msgspec.json.decode(text, type=RunMetadata))
    except UsageError as error:
        raise SourceError(f"{path} is damaged: {error}; take the recording again") from error
    except UNREADABLE as error:
        raise SourceError(
            f"{path} is damaged: {explain(error, text, RunMetadata)}; take the recording again"
        ) from error
    raise SourceError(
        f"{path} has schema {schema}, this program reads schema {SCHEMA}; "
        + ("update foal-edge" if schema > SCHEMA else "replay it with the version that recorded it")
    )


def checked(about: RunMetadata) -> RunMetadata:
    """Return the metadata; UsageError where the run specification cannot be run."""
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
    """Return a remedy: the newest recording inside a folder, where the user has named the one that holds them all."""
    inside = sorted(path.parent.name for path in folder.glob(f"*/{METADATA}"))
    if not inside:
        return "foal-edge --record makes one"
    return f"it holds recordings: give one of them, the latest is {folder / inside[-1]}"
