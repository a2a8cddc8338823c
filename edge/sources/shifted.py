"""A source whose sound is moved in time against its picture."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..samples import Block, Event


class Shifted:
    """preliminary"""

    def __init__(self, source: Any, offset_ns: int) -> None:
        self.name, self._source, self._offset_ns = source.name, source, offset_ns

    def open(self) -> None:
        """Open."""
        self._source.open()

    def events(self) -> Iterator[Event]:
        """Shifted."""
        for event in self._source.events():
            yield replace(event, end_ns=event.end_ns + self._offset_ns) if isinstance(event, Block) else event

    def close(self) -> None:
        """Close."""
        self._source.close()
