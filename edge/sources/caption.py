"""Captions of a recording: what it shows, and from when on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caption:
    """Caption of a recording for people, from its time on."""

    time_ns: int
    """Time in the recording."""
    text: str
