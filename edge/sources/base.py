"""What every source of blocks or frames is to the runtime."""

from collections.abc import Iterator
from typing import Protocol

from ..errors import SourceError
from ..preprocess.media import Media


class Source(Protocol):
    """A live device, or a recording paced as if it were one."""

    name: str
    """As the user named it, for messages."""

    def open(self) -> None:
        """Make ready; SourceError where that cannot be."""
        ...

    def read(self) -> Iterator[Media]:
        """Blocks or frames as they are captured. Ends with a recording; SourceError where a device is lost."""
        ...

    def close(self) -> None:
        """Release the device; `open` may be called again."""
        ...


class Recording(Protocol):
    """Blocks and frames that are already there, from time 0 on."""

    name: str

    def read(self) -> Iterator[Media]:
        """In the order of their times; a block's is that of its end."""
        ...


def source_error(name: str, error: Exception) -> SourceError:
    """What ended a source, as an error that says so; what its driver or decoder raises may be anything."""
    if isinstance(error, SourceError):
        return error
    told = SourceError(f"{name} has failed: {type(error).__name__}: {error}")
    told.__cause__ = error
    return told
