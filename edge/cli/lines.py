"""Lines on a terminal: messages as a person reads them, without raw control characters, and errors of a full stdout."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from ..errors import FoalError
from ..system.printable import visible
from ..system.standard_streams import stderr
from ..wire.messages import Message, Prediction, Stats, SteadyState

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Error numbers of a stream that takes no more."""


def describe(message: Message) -> str:
    """Return a message as one line."""
    if isinstance(message, Prediction):
        agreement = "  -  " if message.agreement is None else f"{message.agreement:+.2f}"
        probs = "  ".join(f"{label} {p:4.0%}" for label, p in zip(message.labels, message.probs, strict=True))
        window_s = (message.mono_end - message.mono_start) / 1e9
        return (
            f"{message.stream} #{message.seq}  {message.label:<8}  {probs}  agreement {agreement}  "
            f"audio {message.audio.state}  video {message.video.state} ({message.video.frames} frames)  "
            f"window {window_s:.1f} s  latency {message.latency_ms.total:.1f} ms"
        )
    if isinstance(message, SteadyState):
        before = f", before {message.previous}" if message.previous is not None else ""
        return f"{message.stream} is {message.label} ({message.confidence:.0%}){before}"
    if isinstance(message, Stats):
        return (
            f"up {message.uptime_s:.0f} s  {message.predictions} predictions  hop {message.hop_s:g} s  "
            f"busy {message.busy:.0%}  waiting {describe_counts(message.queues)}  "
            f"dropped {describe_counts(message.dropped)}"
        )
    return f"{message.stream} {message.state}: audio {message.audio}, video {message.video}"


def describe_counts(counts: Mapping[str, int]) -> str:
    """Return the counts above 0 with their names; `nothing` if there are none."""
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing"


def print_message(message: Message) -> None:
    """Print a message as one line on stdout."""
    print_line(describe(message))


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
