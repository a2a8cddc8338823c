"""Interfaces of live sources and of recordings."""

from collections.abc import Iterator
from typing import Protocol

from ..errors import SourceError
from ..preprocess.media import Media


class Source(Protocol):
    """Live device, or a recording played in real time."""

    name: str
    """Name of the source in messages, e.g. `camera 0`; without passwords."""

    def open(self) -> None:
        """Open the device; raises SourceError if it cannot be opened."""
        ...

    def read(self) -> Iterator[Media]:
        """Yield media as they are captured, until the recording ends; raises SourceError if the device is lost."""
        ...

    def close(self) -> None:
        """Release the device; `open` may be called again."""
        ...


class Recording(Protocol):
    """Media that are not live, such as a file; times start at 0."""

    name: str
    """Name of the recording in messages."""

    def read(self) -> Iterator[Media]:
        """Yield media in the order of their times; a block's time is that of its end."""
        ...


def source_error(name: str, error: Exception) -> SourceError:
    """Return an error of a driver or decoder, of whatever type, as a SourceError that names the source."""
    if isinstance(error, SourceError):
        return error
    wrapped = SourceError(f"{name} has failed: {type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
