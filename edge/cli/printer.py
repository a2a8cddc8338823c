"""Printing of messages from a thread of its own, so that a terminal that stands still or a full disk stops no run."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ..errors import FoalError
from ..queues import push
from ..wire.messages import Message

MOST_WAITING = 1000
"""Largest number of waiting lines; the oldest are left out beyond it, unless the run waits for its lines."""
PATIENCE_S = 0.1
"""Interval at which a full queue is looked at again."""
CLOSE_S = 2.0
"""Longest wait of an ending program for its last lines to be printed."""

log = logging.getLogger(__name__)


class Printer:
    """Thread that hands each message to `write`.

    With `waits` the caller waits for room, as a run that is as fast as possible must. `stop` is set when the reader of
    the lines has gone.
    """

    def __init__(self, write: Callable[[Message], None], stop: threading.Event, *, waits: bool) -> None:
        self._write, self._stop, self._waits = write, stop, waits
        self._waiting: queue.Queue[Message | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def __call__(self, message: Message) -> None:
        """Queue a message for printing."""
        while self._waits and self._waiting.full() and self._thread.is_alive():
            if self._stop.wait(PATIENCE_S):
                break
        push(self._waiting, message)

    def _run(self) -> None:
        try:
            while (message := self._waiting.get()) is not None:
                self._write(message)
        except (SystemExit, BrokenPipeError) as error:
            log.debug("nobody reads what is printed any more (%r)", error)
            self._stop.set()
        except (OSError, FoalError) as error:
            log.warning("%s. Going on without printing; --quiet prints nothing", error)

    def close(self) -> None:
        """Print what waits, for two seconds at most."""
        until_s = time.monotonic() + CLOSE_S
        while self._waiting.full() and self._thread.is_alive() and time.monotonic() < until_s:
            time.sleep(PATIENCE_S)
        push(self._waiting, None)
        self._thread.join(max(0.0, until_s - time.monotonic()))


@contextmanager
def printing_messages(
    write: Callable[[Message], None], stop: threading.Event, *, waits: bool, quiet: bool
) -> Iterator[Callable[[Message], None]]:
    """Give the function that each message goes to: a printer's, which ends with the block, or `ignore` if `quiet`."""
    if quiet:
        yield ignore
        return
    with closing(Printer(write, stop, waits=waits)) as printer:
        yield printer


def ignore(_: object) -> None:
    """Do nothing."""
