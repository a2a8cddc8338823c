"""Captions of a recording: what it shows, and from when on."""

import msgspec


class Caption(msgspec.Struct, frozen=True):
    """Caption of a recording for people, from its time on."""

    time_ns: int
    """Time in the recording."""
    text: str
