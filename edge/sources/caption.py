"""Captions of a recording: what it shows, and from when on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caption:
    """What a recording shows from a time on, for people."""

    time_ns: int
    """Time in the recording."""
    text: str
