"""Keeps a run on disk as it happens, from a thread of its own: the disk may be slow or full, the run goes on."""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError
from ..live.inbox import LoopInput
from ..preprocess.media import Block, Frame, Media
from ..wire.messages import Message
from .backlog import Backlog
from .metadata import MESSAGES, STEPS, Session, folder_name, write_session
from .record_file import RecordFile
from .records import End, Gap, pack

MOST_WAITING = 1 << 25
"""Bytes that wait for the disk at most: 7 s of sound and pictures of 640 x 480."""
MESSAGE_BYTES = 2000
"""What a waiting message is taken for."""
DELIVERY_BYTES = 200
"""What an arrival is taken for, beside its samples or pixels."""
FLUSH_S = 1.0
"""A program that is killed loses no more than this."""
SYNC_S = 10.0
"""A power cut loses no more than this; oftener would wear memory cards."""
CLOSE_S = 5.0
"""How long an ending program waits for the disk."""

log = logging.getLogger(__name__)


class Recorder:
    """One run's folder inside `folder`: messages always, sound and pictures only where `media` is asked for.

    UsageError where the folder cannot be made. Later on nothing that befalls the disk reaches the caller: it is said
    once in the log, and by `problem`.
    """

    def __init__(self, folder: Path, about: Session, *, media: bool) -> None:
        self.folder = folder / folder_name(about)
        self.problem: str | None = None
        """What has ended the recording, or made it incomplete."""
        self._format, self._waits, tracks = about.wire_format, about.fast, [MESSAGES, *([STEPS] if media else [])]
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700)
            write_session(self.folder, about)
            self._files = {track: RecordFile(self.folder / track) for track in tracks}
        except OSError as error:
            raise UsageError(
                f"cannot record to {self.folder}: {error.filename}: {error.strerror}; "
                "give --record a folder that can be written to"
            ) from error
        self._backlog: Backlog[Message | LoopInput] = Backlog(MOST_WAITING, tracks)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> dict[str, int]:
        """By file: what the disk was too slow for."""
        return dict(self._backlog.lost)

    def step(self, step: LoopInput) -> None:
        """Keep a step, its arrays being left alone from now on; nothing where no media are recorded."""
        if STEPS in self._files:
            self._put(STEPS, step, sum(weigh(delivery.media) for delivery in step.deliveries))

    def message(self, message: Message) -> None:
        """Keep a message as it was sent."""
        self._put(MESSAGES, message, MESSAGE_BYTES)

    def _put(self, track: str, item: Message | LoopInput, size: int) -> None:
        if not self._backlog.put(track, item, size, wait=self._waits) and self.problem is None:
            self.problem = f"the recording in {self.folder} is incomplete: the disk is too slow"
            log.warning("%s. What is missing is marked in it; record less, or to a quicker disk", self.problem)

    def close(self) -> None:
        """Write what waits, for a few seconds at most. Raises what broke the thread, other than the disk."""
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
            for file in self._files.values():
                with suppress(OSError):  # the first such error has been said; the other file may still have room
                    file.flush()
                file.close()

    def _write(self) -> None:
        flush_s: float | None = None
        """When to flush; None where there is nothing to flush."""
        sync_s = time.monotonic() + SYNC_S
        while not self._backlog.is_over:
            taken = self._backlog.take(None if flush_s is None else max(0.0, flush_s - time.monotonic()))
            if taken is not None:
                track, item = taken
                self._files[track].append(pack(Gap(item) if isinstance(item, int) else item, self._format))
                flush_s = flush_s or time.monotonic() + FLUSH_S
            if flush_s is not None and time.monotonic() >= flush_s:
                flush_s, is_due = None, time.monotonic() >= sync_s
                for file in self._files.values():
                    if is_due:
                        file.sync()
                    else:
                        file.flush()
                sync_s = time.monotonic() + SYNC_S if is_due else sync_s
        for file in self._files.values():
            file.append(pack(End(), self._format))
            file.sync()

    def _end(self, reason: str) -> None:
        self.problem = f"the recording in {self.folder} has ended: {reason}"
        log.warning("%s. The program goes on without it; make room, or give another --record", self.problem)


def weigh(item: Media | None) -> int:
    """Bytes of a waiting arrival."""
    if isinstance(item, Block):
        return DELIVERY_BYTES + item.samples.nbytes
    return DELIVERY_BYTES + (item.image.nbytes if isinstance(item, Frame) else 0)
