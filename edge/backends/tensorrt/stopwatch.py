"""How long a GPU works, apart from the host that prepares and waits."""

import weakref
from typing import Any

from . import cuda
from .memory import Stream


class Stopwatch:
    """Two CUDA events, before and after some work on a stream; destroyed with it."""

    def __init__(self) -> None:
        self._runtime = cuda.runtime()
        self._before, self._after = self._make_event(), self._make_event()
        self._has_stopped = False

    def start(self, stream: Stream) -> None:
        """What the stream is given from now on counts."""
        self._has_stopped = False
        cuda.call(self._runtime.cudaEventRecord, self._before, stream.handle)

    def stop(self, stream: Stream) -> None:
        """What it is given from now on does not."""
        cuda.call(self._runtime.cudaEventRecord, self._after, stream.handle)
        self._has_stopped = True

    @property
    def elapsed_ms(self) -> float | None:
        """Between the two, once the stream is synchronised; None where it has not been started and then stopped."""
        if not self._has_stopped:
            return None
        return float(cuda.call(self._runtime.cudaEventElapsedTime, self._before, self._after))

    def _make_event(self) -> Any:
        event = cuda.call(self._runtime.cudaEventCreate)
        weakref.finalize(self, self._runtime.cudaEventDestroy, event).atexit = False
        return event
