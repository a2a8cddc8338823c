"""One thread a source: it carries events to the inbox, and opens a lost device again."""

import logging
import threading

from ..errors import SourceError
from ..inbox import Inbox
from .base import Source

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 10.0
JOIN_S = 2.0

log = logging.getLogger(__name__)


class Capture:
    """A source that is read until it ends or `stop` is set. The inbox closes when it ends or breaks."""

    def __init__(self, source: Source, inbox: Inbox, stop: threading.Event, *, is_open: bool, reopen: bool) -> None:
        self.name = source.name
        self._source, self._inbox, self._stop = source, inbox, stop
        self._is_open, self._reopen = is_open, reopen
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=source.name, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def finish(self) -> None:
        """Wait for the thread, `stop` being set, and raise what broke it."""
        self._thread.join(JOIN_S)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._read() and not self._stop.is_set():
                continue
        except BaseException as error:  # raised again where the run is finished
            self._error = error
        finally:
            self._source.close()
            self._inbox.close()

    def _read(self) -> bool:
        """Read until the source ends (true), or is lost where it may be opened again (false)."""
        retry_s = FIRST_RETRY_S
        while not self._is_open:
            if self._stop.wait(retry_s):
                return True
            retry_s = min(2 * retry_s, LAST_RETRY_S)
            self._try_open()
        try:
            for event in self._source.events():
                self._inbox.put(event)
                if self._stop.is_set():
                    break
            return True
        except SourceError as error:
            if not self._reopen:
                raise
            log.warning("%s; it is tried again from now on", error)
            self._source.close()
            self._is_open = False
            return False

    def _try_open(self) -> None:
        try:
            self._source.open()
        except SourceError as error:
            log.debug("%s", error)
            return
        self._is_open = True
        log.warning("%s is there", self._source.name)
