"""Part of a cluster's worker in an annotation: it keeps the processes that annotate, and gives them jobs."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ..cluster.node import ProcessEndedError
from ..cluster.shared_folder import SHARE, check_recording
from ..errors import UsageError
from .about import has_format, read_about
from .collection import Entry
from .crew import Task, Worker
from .protocol import Begin, Done, Failed, Job, Note, Position, Ready, Reply


class There(msgspec.Struct, frozen=True):
    """Message that is the same for all recordings of one command."""

    session: str
    """Name of the command's run."""
    begin: Begin
    folder: bytes
    """Folder in which the command was given: paths may be relative to it."""


class SharedJob(msgspec.Struct, frozen=True):
    """Recording to annotate, as the machine sees it that asks."""

    job: Job
    size_bytes: int | None
    """Size of the recording; None where that machine does not see it either."""


class Processes:
    """Processes of one Dask worker: idle ones are kept for the next job of the same command."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session = ""
        self._idle: list[tuple[Worker, Ready]] = []
        self._busy: set[Worker] = set()

    @contextmanager
    def one(self, there: There) -> Iterator[tuple[Worker, Ready]]:
        """Give a process whose model is loaded, for as long as the context lasts; those of another command end."""
        with self._lock:
            former = self._idle if there.session != self._session else []
            self._idle = [] if former else self._idle
            self._session = there.session
            found = self._idle.pop() if self._idle else None
        for worker, _ in former:
            worker.close()
        worker, ready = found or self._hire(there)
        with self._lock:
            self._busy.add(worker)
        try:
            yield worker, ready
        finally:
            with self._lock:
                self._busy.discard(worker)
                is_wanted = there.session == self._session and not worker.has_ended
                if is_wanted:
                    self._idle.append((worker, ready))
            if not is_wanted:
                worker.close()

    def _hire(self, there: There) -> tuple[Worker, Ready]:
        folder = Path(os.fsdecode(there.folder))
        worker = Worker(there.begin.config, there.begin.workers, folder if folder.is_dir() else None)
        try:
            return worker, worker.start(ignore)
        except BaseException:
            worker.close()
            raise

    def end(self, session: str) -> None:
        """End the processes of a command, those that work included: what they have half written is removed."""
        with self._lock:
            if session != self._session:
                return
            self._session, idle, busy = "", self._idle, list(self._busy)
            self._idle = []
        for worker, _ in idle:
            worker.close()
        for worker in busy:
            worker.stop()


PROCESSES = Processes()
"""Processes of this Dask worker."""


def ready_there(message: bytes) -> bytes:
    """Load the model, and return `Ready`; FoalError where it cannot be loaded."""
    with PROCESSES.one(msgspec.json.decode(message, type=There)) as (_, ready):
        return msgspec.json.encode(ready)


def annotate_there(message: bytes, expected: bytes, wanted: bytes) -> list[bytes]:
    """Annotate a recording; return the notes and the end of it.

    `expected` are the settings that the first worker had. UsageError where this one has others, or does not see the
    files; ProcessEndedError where the process that read the recording has ended.
    """
    there = msgspec.json.decode(message, type=There)
    folder = Path(os.fsdecode(there.folder))
    task = task_of(msgspec.json.decode(wanted, type=SharedJob), folder)
    if (done := done_before(task, folder)) is not None:
        return [msgspec.json.encode(done)]
    replies: list[Reply] = []

    def on_reply(_: Task, reply: Position | Note | Done | Failed) -> None:
        if isinstance(reply, Note):
            replies.append(reply)

    with PROCESSES.one(there) as (worker, ready):
        check_settings(msgspec.json.encode(ready.settings), expected)
        end = worker.run(task, on_reply)
        if isinstance(end, Failed) and worker.has_ended:
            raise ProcessEndedError(end.text)
    return [msgspec.json.encode(reply) for reply in [*replies, end]]


def done_before(task: Task, folder: Path) -> Done | None:
    """Return the end of a job whose worker died before it could tell; None where it is still to be done."""
    about = read_about(folder / task.entry.note)
    if about is None or not all(has_format(about, name, (folder / task.entry.note).parent) for name in task.formats):
        return None
    return Done(about.rows, about.duration_s or 0.0, 0.0)


def end_there(session: str) -> None:
    """End the processes of a command."""
    PROCESSES.end(session)


def task_of(shared: SharedJob, folder: Path) -> Task:
    """Return a task, its paths as the command names them; UsageError where they are not seen here."""
    recording, stem = Path(os.fsdecode(shared.job.recording)), Path(os.fsdecode(shared.job.stem))
    check_recording(folder / recording, shared.size_bytes)
    if not (folder / stem).parent.is_dir():
        raise UsageError(f"the folder {(folder / stem).parent} is not to be seen here; {SHARE}")
    return Task(Entry(recording, stem), shared.job.formats)


def check_settings(found: bytes, expected: bytes) -> None:
    """Raise UsageError where a worker would annotate with other settings than the first."""
    if found != expected:
        raise UsageError(
            f"a worker would annotate with {found.decode()}, the first with {expected.decode()}; give --backend and "
            "--bundle something that all have"
        )


def ignore(_: Note) -> None:
    """Say nothing: the same was said by the first worker."""
