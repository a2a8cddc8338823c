"""Prints messages from a thread of its own: a terminal that stands still or a full disk stops nothing else."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from ..errors import FoalError
from ..queues import push
from ..wire.messages import Message

MOST_WAITING = 1000
"""Lines; of those printed too slowly the oldest are left out, unless the run waits for them."""
PATIENCE_S = 0.1
CLOSE_S = 2.0
"""How long an ending program waits for its last lines to be taken."""

log = logging.getLogger(__name__)


class Printer:
    """Hands each message to `write`. With `waits` a run as quick as possible waits for its lines.

    Where whoever read them has gone, `stop` is set.
    """

    def __init__(self, write: Callable[[Message], None], stop: threading.Event, *, waits: bool) -> None:
        self._write, self._stop, self._waits = write, stop, waits
        self._waiting: queue.Queue[Message | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def __call__(self, message: Message) -> None:
        """Print a message, soon."""
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
            log.warning("%s. Going on without; --quiet prints nothing", error)

    def close(self) -> None:
        """Print what waits, for two seconds at most."""
        until_s = time.monotonic() + CLOSE_S
        while self._waiting.full() and self._thread.is_alive() and time.monotonic() < until_s:
            time.sleep(PATIENCE_S)
        push(self._waiting, None)
        self._thread.join(max(0.0, until_s - time.monotonic()))
