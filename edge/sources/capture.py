"""One thread a source: it carries events on as they come, and opens a lost device again."""

import logging
import threading
from collections.abc import Callable

from ..errors import FoalError, SourceError
from ..preprocess.media import Media
from ..system.logs import RateLimitedLog
from .base import Source, source_error

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
"""What is waited before a lost device is tried again: doubled each time, until it gives something."""
JOIN_S = 2.0
"""A source that does not come back from its driver by then is left behind."""

log = logging.getLogger(__name__)


class Capture:
    """A source that is read until it ends, nobody wants more of it or `stop` is set; `ended` is called once, from its
    thread.

    A device is there when it gives something, not when it opens: only then is its return said, and the waiting
    between attempts begun anew. Whatever it raises, and an end of its own, means that it is lost; a recording's errors
    end it.
    """

    def __init__(
        self,
        source: Source,
        put: Callable[[Media], bool],
        ended: Callable[[Exception | None], None],
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
        self._say = RateLimitedLog(log)
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
        error: Exception | None = None
        try:
            while not (self._open() and self._read()):
                continue
        except Exception as caught:  # whoever reads what comes of this source is told
            error = self._explained(caught)
        self._close()
        self._ended(error)

    def _open(self) -> bool:
        """Whether the source may be read: it is open, or `stop` is set and there is nothing to wait for."""
        if self._is_open or self._stop.wait(self._retry_s):
            return True
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
        try:
            self._source.open()
        except Exception as error:  # a driver may raise anything
            log.debug("%s", self._explained(error))
            return False
        self._is_open = True
        return True

    def _read(self) -> bool:
        """Read until nothing more comes or is wanted (true), or a device that may be opened again is lost (false)."""
        if self._stop.is_set():
            return True
        try:
            for item in self._source.read():
                if not self._put(item) or self._stop.is_set():
                    return True
                self._arrived()
            if not self._reopen:
                return True
            raise SourceError(f"{self.name} gives nothing more")
        except Exception as error:
            if self._stop.is_set():
                log.debug("%s", self._explained(error))
            elif self._reopen:
                self._lost(self._explained(error))
            else:
                raise
            return self._stop.is_set()

    def _arrived(self) -> None:
        self._retry_s = FIRST_RETRY_S
        if self._is_lost:
            self._is_lost = False
            self._say(logging.WARNING, "%s is there", self.name)

    def _lost(self, error: Exception) -> None:
        if self._is_lost:
            log.debug("%s; it is tried again from now on", error)
        else:
            self._say(logging.WARNING, "%s; it is tried again from now on", error)
        self._close()
        self._is_open, self._is_lost = False, True

    def _close(self) -> None:
        try:
            self._source.close()
        except Exception as error:  # there is nothing more to release it by
            log.debug("%s", self._explained(error))

    def _explained(self, error: Exception) -> Exception:
        """An error to be said, its traceback in the log of those who want to know everything."""
        if isinstance(error, FoalError | MemoryError):
            return error
        log.debug("%s has failed", self.name, exc_info=error)
        return source_error(self.name, error)
