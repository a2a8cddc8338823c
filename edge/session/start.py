"""Start of a run: what was chosen and why, what it reads, and where its messages go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..sources.caption import Caption


@dataclass(frozen=True)
class Start:
    """Choices of a run, once they are made."""

    model: str
    """Name and backend of the model with the reason for its choice, for people."""
    faces: str
    """Detector of faces with the reason for its choice, for people; an empty text where none are looked for."""
    inputs: Sequence[str]
    """Names of the devices and recordings."""
    address: str | None
    """Address that messages are published at; None without one."""
    page: str | None
    """Address of the page beside the run; None without one."""
    record: str | None
    """Folder that the run is recorded in; None where nothing is kept."""
    begin_ns: Mapping[str, int]
    """Time of the messages at which each recorded stream began, in ns of `mono_end`, by the stream's name."""
    captions: Iterable[Caption]
    """Captions of the demo, by their times, without end where it is looped; an empty tuple without a demo."""
