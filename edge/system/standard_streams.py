"""Standard streams that are closed, full, or lead to nobody."""

import os
import sys
import threading
from contextlib import suppress
from typing import IO, Any, cast

FLUSH_S = 2.0
"""Longest wait of an ending program for what it has written to be taken."""


class BestEffortStderr:
    """Stream of the current `sys.stderr` that loses text if stderr is full or gone, since a run is worth more."""

    def write(self, text: str) -> int:
        """Write as much as stderr takes, and return the length of the text."""
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as much as stderr takes."""
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


stderr = cast(IO[str], BestEffortStderr())


def open_closed_streams() -> None:
    """Open the null device in place of each standard stream that the parent closed.

    A file opened later would otherwise get its number, and libraries that write to stderr would write into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  the lowest free number is the one that was closed


def discard_unwritten() -> None:
    """Discard what stdout and stderr do not take, so that Python's end does not change the exit status.

    A thread that is named `flush` remains where a pipe or terminal stands still.
    """
    flushing = threading.Thread(target=flush_or_discard, name="flush", daemon=True)
    flushing.start()
    flushing.join(FLUSH_S)


def flush_or_discard() -> None:
    """Write what waits for stdout and stderr, and point a stream that fails to the null device."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                stream.flush()
