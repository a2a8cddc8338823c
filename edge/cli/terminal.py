"""Consoles for tables and progress bars; like lines, they show no raw control character."""

import os
from typing import IO, Any

from rich.console import Console
from rich.text import Text

from ..system.printable import visible
from ..system.standard_streams import stderr
from .lines import printing

DEFAULT_COLUMNS = 80


class Terminal(Console):
    """Console that shows each text unchanged, in one line; FoalError if stdout takes no more."""

    def __init__(self, file: IO[str] | None = None) -> None:
        columns = os.environ.get("COLUMNS", "")
        width = DEFAULT_COLUMNS if columns and not columns.strip("0") else None  # 0 columns would print nothing
        super().__init__(file=file, width=width, highlight=False, markup=False, soft_wrap=True)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text without raw control characters; all text comes through here, titles and cells of tables too."""
        return super().render_str(visible(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; FoalError if stdout takes no more."""
        with printing():
            super().print(*objects, **options)


console = Terminal()
complaints = Terminal(stderr)
