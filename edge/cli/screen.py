"""Screen of a run: a live table where stdout is a terminal, lines elsewhere."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from ..sources.caption import Caption
from ..wire.messages import Message
from .journal import Journal
from .lines import print_line
from .times import Times


@contextmanager
def showing(
    times: Times, captions: Iterable[Caption] = (), *, shows_latency: bool, as_table: bool
) -> Iterator[Callable[[Message], None]]:
    """Give the function that shows a message: as a row of a live table, or as lines; one thread may call it."""
    journal = Journal(times, captions, shows_latency=shows_latency)
    if not as_table:
        yield lambda message: print_lines(journal, message)
        return
    from .live_table import LiveTable  # here, since rich takes longer to import than all else
    from .terminal import console

    with LiveTable(journal, times, console, shows_latency=shows_latency) as table:
        yield table


def print_lines(journal: Journal, message: Message) -> None:
    """Print what a message says that is new."""
    for line in journal.lines(message):
        print_line(line)


def is_terminal() -> bool:
    """Return whether stdout is a terminal on which a table can stay in its place."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class RunScreen:
    """Screen that is opened once the run has started, and shows its messages from then on."""

    def __init__(self, *, as_table: bool, is_live: bool) -> None:
        self._as_table, self._is_live = as_table, is_live
        self._opened = ExitStack()
        self._show: Callable[[Message], None] | None = None

    def open(self, times: Times, captions: Iterable[Caption]) -> None:
        """Open the screen, before the first message."""
        shown = showing(times, captions, shows_latency=self._is_live, as_table=self._as_table)
        self._show = self._opened.enter_context(shown)

    def __call__(self, message: Message) -> None:
        """Show a message."""
        assert self._show is not None  # a run has no message before it has started
        self._show(message)

    def close(self) -> None:
        """Leave the last table or line behind."""
        self._opened.close()
