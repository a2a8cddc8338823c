"""stdin, stdout and stderr where they were closed, are full, or lead to nobody."""

import os
import sys
from contextlib import suppress
from typing import IO, Any, cast


class TolerantStderr:
    """stderr, whatever it is at that moment. Where it is full or gone nobody can be told, and a run is worth more."""

    def write(self, text: str) -> int:
        """As far as it takes it."""
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """As far as it takes it."""
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)


stderr = cast(IO[str], TolerantStderr())


def stand_in() -> None:
    """Put the null device where the parent left a stream closed.

    Else what is opened next gets its number, and libraries that write to stderr would write into that.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  the lowest free number is the one that was closed


def let_go() -> None:
    """Before the end: give up what stdout and stderr could not take, so that the exit status stays ours."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                stream.flush()
