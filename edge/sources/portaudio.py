"""PortAudio, which all microphones of this process share: streams opened and closed one at a time, none of it for ever.

PortAudio lists the devices once, when it begins, and begins anew only where no stream is open.
"""

import atexit
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from ..errors import SourceError

BUSY_S = 5.0
"""How long another microphone may take to open or close."""
CLOSE_S = 2.0
"""A stream that has not closed by then is left behind: its driver or sound server hangs."""

log = logging.getLogger(__name__)


def portaudio() -> ModuleType:
    """The sounddevice module; SourceError where the system lacks PortAudio."""
    try:
        import sounddevice
    except OSError as error:
        raise SourceError(
            f"no microphone without PortAudio ({error}); install it (Debian, Ubuntu: apt install libportaudio2) "
            "or say --mic off"
        ) from error
    module: ModuleType = sounddevice
    return module


class Streams:
    """The open streams of this process."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._count = 0

    def open(self, sd: ModuleType, make: Callable[[], Any]) -> Any:
        """What `make` opens. Where it fails, once more with the devices of this moment, if no other stream is open."""
        if not self._changing.acquire(timeout=BUSY_S):
            raise SourceError("another microphone neither opens nor closes; restart the sound server, or foal-edge")
        try:
            try:
                stream = make()
            except (sd.PortAudioError, ValueError) as error:
                if self._count:
                    log.debug("%s; PortAudio looks for new devices only where no other microphone is open", error)
                    raise
                with suppress(sd.PortAudioError):  # not initialised: that failed the last time
                    sd._terminate()
                sd._initialize()
                stream = make()
            self._count += 1
            return stream
        finally:
            self._changing.release()

    def close(self, sd: ModuleType, stream: Any, name: str) -> None:
        """Close a stream, or leave it behind where that takes too long."""
        closing = threading.Thread(target=self._close, args=(stream,), name=f"close {name}", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        if closing.is_alive():
            # At the end of the program PortAudio would wait for this stream, for ever.
            atexit.unregister(sd._exit_handler)
            log.warning("%s does not close within %g s; it is left behind", name, CLOSE_S)

    def _close(self, stream: Any) -> None:
        with self._changing:
            stream.close()
            self._count -= 1


STREAMS = Streams()
