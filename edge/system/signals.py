"""How the program is asked to end: in order by the first signal, at once by the second, whatever it is doing.

Python's own handlers wait for its main thread, which may be in a driver, a decoder or an engine for as long as these
like. So a thread is told of each signal by way of a pipe.
"""

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .standard_streams import let_go

FORCED_STATUS = 130
"""Exit status where the program does not end in order."""
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FORCING = (signal.SIGINT, signal.SIGTERM)
"""A terminal that goes away hangs up more than once."""
SHOW_CURSOR = b"\x1b[?25h"
"""Which progress bars hide."""


class Interrupts:
    """The signals that this process got."""

    def __init__(self) -> None:
        self._stops: list[threading.Event] = []
        self._thread: threading.Thread | None = None

    def watch(self) -> None:
        """From now on the second signal ends the program; in the main thread."""
        if self._thread is not None:
            return
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._run, args=(heard,), name="interrupts", daemon=True)
        self._thread.start()

    def _run(self, heard: int) -> None:
        is_asked = False
        while True:
            for number in os.read(heard, 64):
                if is_asked and number in FORCING:
                    end_at_once()
                if number in ASKING:
                    is_asked = True
                    for stop in self._stops:
                        stop.set()

    @contextmanager
    def asked(self) -> Iterator[threading.Event]:
        """An event that SIGINT, SIGTERM and SIGHUP set meanwhile; what they do elsewhere they do not do here."""
        self.watch()
        stop = threading.Event()
        self._stops.append(stop)
        caught = [number for number in ASKING if number in FORCING or signal.getsignal(number) != signal.SIG_IGN]
        previous = {number: signal.signal(number, leave_it_to_the_thread) for number in caught}
        try:
            yield stop
        finally:
            for number, handler in previous.items():
                if number in FORCING or not stop.is_set():  # a terminal hangs up once more while the program ends
                    signal.signal(number, handler)
            self._stops.remove(stop)

    def has(self, thread: threading.Thread) -> bool:
        """Whether this is the thread that waits for signals, for as long as the process lives."""
        return thread is self._thread


INTERRUPTS = Interrupts()
interruptible = INTERRUPTS.asked


def leave_it_to_the_thread(_number: int, _frame: object) -> None:
    """Nothing: a handler that takes a lock which the main thread holds would wait for ever."""


def end_at_once() -> None:
    """Without the end of anything that hangs, but with a terminal that shows its cursor."""
    for stream in (1, 2):
        if os.isatty(stream) and select.select([], [stream], [], 0)[1]:  # one that stands still would hold this up
            os.write(stream, SHOW_CURSOR)
    os._exit(FORCED_STATUS)


def leave(status: str | int | None) -> None:
    """End at once where a thread was left behind in a driver or a terminal: Python's own end would abort in it."""
    let_go()
    left = (thread for thread in threading.enumerate() if thread.daemon and not INTERRUPTS.has(thread))
    if isinstance(status, int) and any(left):
        os._exit(status)
