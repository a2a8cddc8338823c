"""End of the program on request: in order by the first signal, at once by the second, whatever it is doing.

Python runs its own handlers in the main thread, which may be in a driver, a decoder or an engine for as long as these
like. So a thread of its own hears of each signal by way of a pipe.
"""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .standard_streams import discard_unwritten

FORCED_STATUS = 130
"""Exit status of a program that does not end in order."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask the program to stop."""
FORCE_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that end the program at once, if it was asked before. A terminal that goes away hangs up more than once."""
SHOW_CURSOR = b"\x1b[?25h"
"""Control sequence that shows the cursor, which progress bars hide."""


class Interrupts:
    """Signals that this process got, heard by a thread."""

    def __init__(self) -> None:
        self._stops: list[threading.Event] = []
        self._thread: threading.Thread | None = None

    def watch(self) -> None:
        """Start to listen, in the main thread; from now on the second signal ends the program."""
        if self._thread is not None:
            return
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._run, args=(reading,), name="interrupts", daemon=True)
        self._thread.start()

    def _run(self, reading: int) -> None:
        is_stopping = False
        while True:
            for number in os.read(reading, 64):
                if is_stopping and number in FORCE_SIGNALS:
                    exit_at_once()
                if number in STOP_SIGNALS:
                    is_stopping = True
                    for stop in self._stops:
                        stop.set()

    @contextmanager
    def interruptible(self) -> Iterator[threading.Event]:
        """Give an event that SIGINT, SIGTERM and SIGHUP set during the block, in place of what they do elsewhere."""
        self.watch()
        stop = threading.Event()
        self._stops.append(stop)
        caught = [
            number for number in STOP_SIGNALS if number in FORCE_SIGNALS or signal.getsignal(number) != signal.SIG_IGN
        ]
        previous = {number: signal.signal(number, leave_to_thread) for number in caught}
        try:
            yield stop
        finally:
            for number, handler in previous.items():
                if number in FORCE_SIGNALS or not stop.is_set():  # a terminal hangs up again while the program ends
                    signal.signal(number, handler)
            self._stops.remove(stop)

    def owns(self, thread: threading.Thread) -> bool:
        """Return whether a thread is the one that waits for signals, for as long as the process lives."""
        return thread is self._thread


INTERRUPTS = Interrupts()
interruptible = INTERRUPTS.interruptible


def leave_to_thread(_number: int, _frame: object) -> None:
    """Do nothing: a handler that takes a lock which the main thread holds would wait for ever."""


def exit_at_once() -> None:
    """End the process without waiting for what hangs, but with a visible cursor."""
    for stream in (1, 2):
        if os.isatty(stream) and select.select([], [stream], [], 0)[1]:  # one that stands still would block this
            os.write(stream, SHOW_CURSOR)
    os._exit(FORCED_STATUS)


def exit_if_threads_remain(status: str | int | None) -> None:
    """End the process at once if a thread hangs in a driver or a terminal: Python's own end would abort in it."""
    discard_unwritten()
    remaining = (thread for thread in threading.enumerate() if thread.daemon and not INTERRUPTS.owns(thread))
    if not isinstance(status, str) and any(remaining):
        os._exit(status or 0)
