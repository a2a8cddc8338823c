"""Lines between the program and its workers: a JSON object each, settings and jobs one way, replies the other."""

import os
from pathlib import Path

import msgspec

from ..session.config import Config
from .about import Settings


class Begin(msgspec.Struct, frozen=True):
    """First line to a worker."""

    config: Config
    workers: int
    """Number of workers that share the machine."""


class Job(msgspec.Struct, frozen=True):
    """Recording to annotate. Paths are bytes, as not every name of a file is text."""

    recording: bytes
    stem: bytes
    """Path of the annotation without the ending."""
    formats: list[str]

    @classmethod
    def of(cls, recording: Path, stem: Path, formats: list[str]) -> "Job":
        """Make the job of a recording."""
        return cls(os.fsencode(recording), os.fsencode(stem), formats)


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Word of a worker whose model is loaded."""

    about: str
    """Model, backend and detector, for people."""
    settings: Settings


class Position(msgspec.Struct, frozen=True, tag="position"):
    """Time of the recording that a worker has reached."""

    time_s: float
    duration_s: float | None


class Note(msgspec.Struct, frozen=True, tag="note"):
    """Line of a worker's log."""

    level: int
    text: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """End of a job."""

    rows: int
    recording_s: float
    """Time of the last window in the recording."""
    took_s: float


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """End of a job, or of a worker, by an error."""

    text: str
    exit_status: int


Reply = Ready | Position | Note | Done | Failed
