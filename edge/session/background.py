"""Run in a thread of its own, whose messages are iterated over."""

import queue
import threading
from collections.abc import Iterator
from types import TracebackType

from ..backends.tensorrt.progress import quiet_engine_builder
from ..queues import push
from ..wire.messages import Message
from .config import Config
from .model import Model
from .run import run

MOST_WAITING = 1000
"""Largest number of waiting messages; the oldest are left out beyond it, unless the run waits for them."""
PATIENCE_S = 0.1
"""Interval at which a full queue is looked at again."""


class BackgroundRun:
    """Iterator over the messages of a run, which goes on until it is closed or its recording ends.

    Who is slower than a live run misses the oldest messages; a recording that is read as quickly as possible waits.
    An error of the run is raised where its messages are over.
    """

    def __init__(self, config: Config, model: Model) -> None:
        """Start the run."""
        self._config, self._model = config, model
        self._stop = threading.Event()
        self._waiting: queue.Queue[Message | Exception | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="foal-edge: run", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        ending: Exception | None = None
        try:
            run(self._config, self._stop, quiet_engine_builder(), ignore, self._take, self._model)
        except Exception as error:  # raised where the messages are iterated over
            ending = error
        while self._config.fast and self._waiting.full() and not self._stop.wait(PATIENCE_S):
            continue
        push(self._waiting, ending)

    def _take(self, message: Message) -> None:
        while self._config.fast and self._waiting.full() and not self._stop.wait(PATIENCE_S):
            continue
        push(self._waiting, message)

    def __iter__(self) -> Iterator[Message]:
        """Yield the messages as they come."""
        while not isinstance(item := self._waiting.get(), Exception | None):
            yield item
        push(self._waiting, item)
        if item is not None and not self._stop.is_set():
            raise item

    def __enter__(self) -> "BackgroundRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the run and wait for its end."""
        self._stop.set()
        self._thread.join()


def ignore(_: object) -> None:
    """Do nothing."""
