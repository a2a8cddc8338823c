"""Lines on a terminal, without raw control characters, and errors of a full stdout."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from ..errors import FoalError
from ..system.printable import visible
from ..system.standard_streams import stderr
from ..wire.messages import Stats

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Error numbers of a stream that takes no more."""


def describe_load(stats: Stats) -> str:
    """Return the load of a run as one line."""
    return (
        f"up {stats.uptime_s:.0f} s  {stats.predictions} predictions  hop {stats.hop_s:g} s  busy {stats.busy:.0%}  "
        f"waiting {describe_counts(stats.queues)}  dropped {describe_counts(stats.dropped)}"
    )


def describe_counts(counts: Mapping[str, int]) -> str:
    """Return the counts above 0 with their names; `nothing` if there are none."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing"


def print_line(text: str) -> None:
    """Print a line on stdout; FoalError if stdout takes no more."""
    with printing():
        click.echo(visible(text))


def print_notice(text: str) -> None:
    """Print a line on stderr, if stderr takes it."""
    stderr.write(visible(text) + "\n")


@contextmanager
def printing() -> Iterator[None]:
    """Raise FoalError if stdout takes no more; a BrokenPipeError, of a reader that has gone, stays as it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_print(error) from error


def explain_full(error: BaseException) -> FoalError | None:
    """Return the FoalError for an OSError of a full stdout; None for any other error."""
    return cannot_print(error) if isinstance(error, OSError) and error.errno in FULL else None


def cannot_print(error: OSError) -> FoalError:
    """Return the FoalError for a stdout that takes no more."""
    return FoalError(f"cannot print: {error.strerror}; redirect stdout to a place that has room")
