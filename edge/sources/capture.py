"""One thread a source: it carries events on as they come, and opens a lost device again."""

import logging
import threading
from collections.abc import Callable

from ..errors import SourceError
from ..samples import Event
from .base import Source

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
"""What is waited before a lost device is tried again: doubled each time, until it gives something."""
JOIN_S = 2.0
"""A source that does not come back from its driver by then is left behind."""

log = logging.getLogger(__name__)


class Capture:
    """A source that is read until it ends or `stop` is set; `ended` is called once, from its thread.

    A device is there when it gives something, not when it opens: only then is its return said, and the waiting
    between attempts begun anew.
    """

    def __init__(
        self,
        source: Source,
        put: Callable[[Event], None],
        ended: Callable[[BaseException | None], None],
        stop: threading.Event,
        *,
        is_open: bool,
        reopen: bool,
    ) -> None:
        self.name = source.name
        self._source, self._put, self._ended, self._stop = source, put, ended, stop
        self._is_open, self._reopen = is_open, reopen
        self._is_lost = not is_open
        self._retry_s = FIRST_RETRY_S
        self._thread = threading.Thread(target=self._run, name=source.name, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def finish(self) -> None:
        """Wait for the thread, `stop` being set; one that hangs dies with the program."""
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.warning("%s does not answer; it is left behind", self.name)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            try:
                while not (self._open() and self._read()):
                    continue
            finally:
                self._source.close()
        except BaseException as caught:  # whoever reads what comes of this source is told
            error = caught
        self._ended(error)

    def _open(self) -> bool:
        """Whether the source may be read: it is open, or `stop` is set and there is nothing to wait for."""
        if self._is_open or self._stop.wait(self._retry_s):
            return True
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
        try:
            self._source.open()
        except SourceError as error:
            log.debug("%s", error)
            return False
        self._is_open = True
        return True

    def _read(self) -> bool:
        """Read until the source ends or `stop` is set (true), or a device that may be opened again is lost (false)."""
        if self._stop.is_set():
            return True
        try:
            for event in self._source.events():
                self._arrived()
                self._put(event)
                if self._stop.is_set():
                    break
            return True
        except SourceError as error:
            if not self._reopen:
                raise
            self._lost(error)
            return self._stop.is_set()

    def _arrived(self) -> None:
        self._retry_s = FIRST_RETRY_S
        if self._is_lost:
            self._is_lost = False
            log.warning("%s is there", self.name)

    def _lost(self, error: SourceError) -> None:
        level = logging.DEBUG if self._is_lost or self._stop.is_set() else logging.WARNING
        log.log(level, "%s; it is tried again from now on", error)
        self._source.close()
        self._is_open, self._is_lost = False, True
