"""Access to PortAudio, which all microphones of this process share: streams are opened and closed one at a time.

PortAudio lists the devices only when it is initialised, and can be initialised again only while no stream is open.
"""

import atexit
import ctypes
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from ..errors import SourceError

BUSY_S = 5.0
"""Time to wait for another microphone that is being opened or closed."""
CLOSE_S = 2.0
"""Time after which a stream that does not close is abandoned, as its driver or sound server hangs."""
LIBRARY = "libportaudio.so.2"
"""Name of PortAudio's library on Linux."""

log = logging.getLogger(__name__)


def portaudio() -> ModuleType:
    """Return the sounddevice module; raises SourceError if the system lacks PortAudio."""
    keep_loaded()
    try:
        import sounddevice
    except OSError as error:
        raise SourceError(
            f"no microphone without PortAudio ({error}); install it (Debian, Ubuntu: apt install libportaudio2) "
            "or say --mic off"
        ) from error
    module: ModuleType = sounddevice
    return module


def keep_loaded() -> None:
    """Keep PortAudio's code in memory to the end of the process; called before sounddevice begins it.

    Python frees the library of sounddevice where the process ends; a thread that still lists or opens devices then,
    since a run was not closed or a driver hangs, would go on in code that is gone: a segmentation fault.
    """
    with suppress(OSError):  # not installed, or of another system: sounddevice says so, or has its own
        ctypes.CDLL(LIBRARY)  # which ctypes never closes


class Streams:
    """Open PortAudio streams of this process."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._count = 0

    def open(self, sd: ModuleType, make: Callable[[], Any]) -> Any:
        """Open a stream by `make`; if that fails and no other stream is open, refresh the devices and try again."""
        if not self._changing.acquire(timeout=BUSY_S):
            raise SourceError(
                "another microphone hangs while it opens or closes; restart the sound server or foal-edge"
            )
        try:
            try:
                stream = make()
            except (sd.PortAudioError, ValueError) as error:
                if self._count:
                    log.debug("%s; PortAudio finds new devices only while no other microphone is open", error)
                    raise
                with suppress(sd.PortAudioError):  # not initialised, as that failed the last time
                    sd._terminate()
                sd._initialize()
                stream = make()
            self._count += 1
            return stream
        finally:
            self._changing.release()

    def close(self, sd: ModuleType, stream: Any, name: str) -> None:
        """Close a stream, or abandon it after `CLOSE_S`."""
        closing = threading.Thread(target=self._close, args=(stream,), name=f"close {name}", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
        if closing.is_alive():
            # At exit PortAudio would wait for this stream for ever.
            atexit.unregister(sd._exit_handler)
            log.warning("%s did not close within %g s and is abandoned", name, CLOSE_S)

    def _close(self, stream: Any) -> None:
        with self._changing:
            stream.close()
            self._count -= 1


STREAMS = Streams()
"""Streams of all microphones of this process."""
