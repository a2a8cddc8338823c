"""Metadata of a recorded run, its `session.json`: everything needed to run it again.

It is an attachment of each of a recording's files; a recording of 0.1.0 is a folder with the file `session.json`.
"""

import time
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ..bundle.manifest import DIGEST
from ..clock import SECOND_NS
from ..errors import SourceError, UsageError
from ..live.pipeline import RunSpec
from ..validation import UNREADABLE, explain
from ..wire.messages import WireFormat
from .machine import Machine

SCHEMA = 2
METADATA = "session.json"

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
    """Format in which the messages were sent."""
    schema: int = SCHEMA
    """Version of the recording format."""
    machine: Machine | None = None
    """Machine that computed the messages; None in recordings of 0.1.0."""
    media: bool = False
    """True if audio and video were recorded."""
    audio_rate_hz: Annotated[int, Meta(ge=1, le=1_000_000)] = 16_000
    """Samples of a block per second."""


class SchemaOnly(msgspec.Struct):
    """Field that every version has."""

    schema: int


def folder_name(about: RunMetadata) -> str:
    """Return a run's folder name: time, then session; without a colon, which memory cards do not take."""
    started = time.gmtime(about.start_unix_ns // SECOND_NS)
    return f"{time.strftime('%Y-%m-%dT%H-%M-%SZ', started)}_{about.run_spec.session}"


def file_name(number: int) -> str:
    """Return the name of a recording's file, counted from 0."""
    return f"{number:04}.mcap"


def decode_metadata(text: bytes, name: str, schema: int = SCHEMA) -> RunMetadata:
    """Return metadata from JSON; SourceError, with the `name` of where they stand, where they are none of `schema`."""
    try:
        found = msgspec.json.decode(text, type=SchemaOnly).schema
        if found == schema:
            return checked(msgspec.json.decode(text, type=RunMetadata))
    except UsageError as error:
        raise SourceError(f"{name} is damaged: {error}; take the recording again") from error
    except UNREADABLE as error:
        raise SourceError(
            f"{name} is damaged: {explain(error, text, RunMetadata)}; take the recording again"
        ) from error
    raise SourceError(
        f"{name} has schema {found}, this program reads schema {schema}; "
        + ("update foal-edge" if found > schema else "replay it with the version that recorded it")
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
    inside = sorted({path.parent.name for name in (file_name(0), METADATA) for path in folder.glob(f"*/{name}")})
    if not inside:
        return "foal-edge --record makes one"
    return f"it holds recordings: give one of them, the latest is {folder / inside[-1]}"
