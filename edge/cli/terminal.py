"""Consoles for people: they show no control character raw, and say where nothing can be printed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from rich.console import Console
from rich.text import Text

from ..errors import FoalError
from ..system.printable import visible
from ..system.standard_streams import stderr

USUAL_COLUMNS = 80
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


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
