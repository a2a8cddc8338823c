"""Start of a run: what was chosen and why, what it reads, and where its messages go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..sources.base import Caption


@dataclass(frozen=True)
class Start:
    """What a run has chosen, once it is known."""

    bundle: str
    """Name and version of the bundle."""
    backend: str
    """Backend that runs it, as published."""
    backend_reason: str
    """Reason for the choice of the backend, for people."""
    detector: str | None
    """Detector of faces; None where frames are taken whole."""
    detector_reason: str
    inputs: Sequence[str]
    """Names of the devices and recordings."""
    address: str | None
    """Address that messages are published at; None without one."""
    record: str | None
    """Folder that the run is recorded in; None where nothing is kept."""
    begin_ns: Mapping[str, int]
    """Time of the messages at which each recorded stream began, in ns of `mono_end`, by the stream's name."""
    captions: Sequence[Caption]
    """What the demo shows, by its time; empty without a demo."""
