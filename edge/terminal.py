"""Consoles for people: they show no control character raw, and say where nothing can be printed."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from rich.console import Console
from rich.text import Text

from .errors import FoalError
from .standard_streams import stderr

USUAL_COLUMNS = 80
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1, what ends a line or turns its direction, and halves of characters."""


def visible(text: str) -> str:
    """Text of others, as it may be shown on a terminal: what steers one is spelled as in JSON, `\\u001b` for ESC.

    A document in JSON has such characters in its strings alone, and means the same afterwards.
    """
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def paragraph(text: str, indent: str = "  ") -> str:
    """A text of several lines as it may be shown; none but the first may look like a line of its own."""
    return f"\n{indent}".join(map(visible, text.rstrip("\n").split("\n")))


class Terminal(Console):
    """A console that shows each text as it stands, in a line; FoalError where stdout takes no more."""

    def __init__(self, file: IO[str] | None = None) -> None:
        columns = os.environ.get("COLUMNS", "")
        width = USUAL_COLUMNS if columns and not columns.strip("0") else None  # in 0 columns nothing would be printed
        super().__init__(file=file, width=width, highlight=False, markup=False, soft_wrap=True)

    def render_str(self, text: str, **options: Any) -> Text:
        """The one place that all text goes through, cells of tables and titles too."""
        return super().render_str(visible(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, or say why that is not possible."""
        with printing():
            super().print(*objects, **options)


console = Terminal()
complaints = Terminal(stderr)


def print_document(document: bytes) -> None:
    """A document in JSON, on a line of stdout."""
    with printing():
        click.echo(visible(document.decode()))


@contextmanager
def printing() -> Iterator[None]:
    """FoalError where stdout takes no more; that nobody reads it is left to others."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise cannot_print(error) from error


def no_room(error: BaseException) -> FoalError | None:
    """An error that nobody has explained as one of a full stdout; None where it tells of something else."""
    return cannot_print(error) if isinstance(error, OSError) and error.errno in FULL else None


def cannot_print(error: OSError) -> FoalError:
    """The error of a stdout that takes no more, in words."""
    return FoalError(f"cannot print: {error.strerror}; give stdout a place that has room")
