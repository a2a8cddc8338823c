"""Recorder of a run as it happens, in a thread of its own: the disk may be slow or full, the run goes on."""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from ..errors import UsageError
from ..live.inbox import LoopInput
from ..preprocess.media import Block, Frame, Media
from ..wire.messages import Message
from .backlog import Backlog
from .metadata import RunMetadata, folder_name
from .records import Mark
from .writer import RunWriter

MESSAGES = "messages"
STEPS = "steps"

MOST_WAITING = 1 << 25
"""Largest number of bytes that wait for the disk: 7 s of audio and frames of 640 x 480."""
MESSAGE_BYTES = 2000
"""Assumed size of a waiting message."""
DELIVERY_BYTES = 200
"""Assumed size of a waiting delivery, without its samples or pixels."""
FLUSH_S = 1.0
"""Time between flushes, in seconds: a program that is killed loses no more than this."""
SYNC_S = 10.0
"""Time between syncs, in seconds: a power cut loses no more than this. More often would wear memory cards."""
CLOSE_S = 5.0
"""Time for which an ending program waits for the disk, in seconds."""

log = logging.getLogger(__name__)


class Recorder:
    """Recorder of one run in a folder of its own inside `folder`: messages always, audio and video only with `media`.

    UsageError where the folder cannot be made. Later errors of the disk never reach the caller: they are logged once,
    and told by `problem`.
    """

    def __init__(self, folder: Path, about: RunMetadata, *, media: bool) -> None:
        self.folder = folder / folder_name(about)
        self.problem: str | None = None
        """Problem that has ended the recording, or made it incomplete; None where there is none."""
        self._has_media, self._waits, tracks = media, about.fast, [MESSAGES, *([STEPS] if media else [])]
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700)
            self._writer = RunWriter(self.folder, replace(about, media=media))
        except OSError as error:
            raise UsageError(
                f"cannot record to {self.folder}: {error.filename or self.folder}: {error.strerror}; "
                "give --record a folder that can be written to"
            ) from error
        self._backlog: Backlog[Message | LoopInput] = Backlog(MOST_WAITING, tracks)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> dict[str, int]:
        """Number of records that the disk was too slow for, of each track."""
        return dict(self._backlog.lost)

    def add_input(self, loop_input: LoopInput) -> None:
        """Record an input of the loop, whose arrays must not change any more; nothing where no media are recorded."""
        if self._has_media:
            for delivery in loop_input.deliveries:
                if isinstance(delivery.media, Frame):
                    delivery.media.keep()
            self._put(STEPS, loop_input, sum(size_of(delivery.media) for delivery in loop_input.deliveries))

    def add_message(self, message: Message) -> None:
        """Record a message as it was sent."""
        self._put(MESSAGES, message, MESSAGE_BYTES)

    def _put(self, track: str, item: Message | LoopInput, size: int) -> None:
        if not self._backlog.put(track, item, size, wait=self._waits) and self.problem is None:
            self.problem = f"the recording in {self.folder} is incomplete: the disk is too slow"
            log.warning("%s. What is missing is marked in it; record less, or to a quicker disk", self.problem)

    def close(self) -> None:
        """Write what waits, for a few seconds at most; raise what broke the thread, other than the disk."""
        self._backlog.close()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._backlog.close(forget=True)
            self._end(f"the disk has not taken the rest within {CLOSE_S:.0f} s")
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._write()
        except OSError as error:
            self._end(error.strerror or str(error))
        except BaseException as error:  # raised again by close
            self._error = error
        finally:
            self._backlog.close(forget=True)
            with suppress(OSError):  # it has been said; closing tries to write the rest once more
                self._writer.close()

    def _write(self) -> None:
        flush_s: float | None = None
        """Time of the next flush; None where there is nothing to flush."""
        sync_s = time.monotonic() + SYNC_S
        while not self._backlog.is_over:
            taken = self._backlog.take(None if flush_s is None else max(0.0, flush_s - time.monotonic()))
            if taken is not None:
                self._add(*taken)
                flush_s = flush_s or time.monotonic() + FLUSH_S
            if flush_s is not None and time.monotonic() >= flush_s:
                flush_s, is_due = None, time.monotonic() >= sync_s
                if is_due:
                    self._writer.sync()
                else:
                    self._writer.flush()
                sync_s = time.monotonic() + SYNC_S if is_due else sync_s
        self._writer.finish()

    def _add(self, track: str, item: Message | LoopInput | int) -> None:
        if isinstance(item, int):
            self._writer.mark(Mark("messages_lost" if track == MESSAGES else "steps_lost", item))
        else:
            self._writer.add(item)

    def _end(self, reason: str) -> None:
        self.problem = f"the recording in {self.folder} has ended: {reason}"
        log.warning("%s. The program goes on without it; make room, or give another --record", self.problem)


def size_of(item: Media | None) -> int:
    """Return the size of a waiting delivery, in bytes."""
    if isinstance(item, Block):
        return DELIVERY_BYTES + item.samples.nbytes
    return DELIVERY_BYTES + (item.picture.nbytes if isinstance(item, Frame) else 0)
