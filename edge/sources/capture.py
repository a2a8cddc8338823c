"""Capture thread of a source: passes media on as they come and reopens a lost device."""

import logging
import threading
from collections.abc import Callable

from ..errors import FoalError, SourceError
from ..preprocess.media import Media
from ..system.logs import RateLimitedLog
from .base import Source, source_error

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
"""Delays before a lost device is opened again: doubled after each attempt, reset when it delivers media."""
JOIN_S = 2.0
"""Time allowed for the thread to end; a source that hangs in its driver is abandoned after it."""

log = logging.getLogger(__name__)


class Capture:
    """Thread that reads a source until it ends, `put` returns False or `stop` is set.

    `ended` is called once, from this thread, with the error that ended the source or None. With `reopen` (devices) an
    error or an end means that the device is lost, and it is opened again; without it (recordings) it ends the capture.
    A device counts as recovered when it delivers media, not when it opens: only then is its return logged and the
    retry delay reset.
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
        self._warn = RateLimitedLog(log)
        self._thread = threading.Thread(target=self._run, name=source.name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def finish(self) -> None:
        """Wait for the thread after `stop` was set; a thread that hangs is a daemon and ends with the process."""
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.warning("%s does not respond and is abandoned", self.name)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            while not (self._open() and self._read()):
                continue
        except Exception as caught:  # passed on to `ended`
            error = self._explained(caught)
        self._close()
        self._ended(error)

    def _open(self) -> bool:
        """Open the source after the retry delay; return True if it is open, or if `stop` was set meanwhile."""
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
        """Read the source; return True if the capture is over, False if the device was lost and is to be reopened."""
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
            self._warn(logging.WARNING, "%s is there", self.name)

    def _lost(self, error: Exception) -> None:
        if self._is_lost:
            log.debug("%s; it is tried again from now on", error)
        else:
            self._warn(logging.WARNING, "%s; it is tried again from now on", error)
        self._close()
        self._is_open, self._is_lost = False, True

    def _close(self) -> None:
        try:
            self._source.close()
        except Exception as error:  # nothing else can release it
            log.debug("%s", self._explained(error))

    def _explained(self, error: Exception) -> Exception:
        """Return an error fit for a message; its traceback goes to the debug log."""
        if isinstance(error, FoalError | MemoryError):
            return error
        log.debug("%s has failed", self.name, exc_info=error)
        return source_error(self.name, error)
