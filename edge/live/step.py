"""One turn of the loop: all that it goes by. The same steps give the same messages, live or replayed."""

from dataclasses import dataclass

from ..preprocess.media import Event


@dataclass(frozen=True)
class Arrival:
    """What one stream delivered."""

    stream: int
    """Which, in the order of the run's streams."""
    event: Event | None
    """None where the stream has ended."""
    error: Exception | None = None
    """What has ended it before its time."""


@dataclass(frozen=True)
class Step:
    """What has arrived, and as of when it is judged."""

    now_ns: int
    """When the inbox was emptied: what is due or lost is judged as of this moment."""
    unix_ahead_ns: int
    """Unix time less CLOCK_MONOTONIC."""
    hop_ns: int
    """Windows are this far apart from here on."""
    arrivals: list[Arrival]
    """In the order of their arrival."""
    dropped: list[dict[str, int]]
    """A stream each: what was dropped before it arrived, since the start, by reason."""
