"""Crew of workers: several recordings at once, each in a process; one that a damaged recording ends is replaced."""

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..errors import FoalError, SourceError
from ..session.config import Config
from ..system.own_program import own_command, own_paths
from .collection import Entry
from .protocol import Begin, Done, Failed, Job, Note, Position, Ready, Reply

POLL_S = 0.1
"""Interval at which a stop is looked for."""
PATIENCE_S = 3.0
"""Longest wait for a worker that was asked to end."""


class Task(NamedTuple):
    """Recording with the formats that it is to be annotated in."""

    entry: Entry
    formats: list[str]


OnReply = Callable[[Task, Position | Note | Done | Failed], None]
"""Function that gets what happens to a task, from several threads."""


class Worker:
    """Process that annotates; FoalError from `start` where it cannot load the model."""

    def __init__(self, config: Config, workers: int, folder: Path | None = None) -> None:
        """Start the process, in `folder` or else in the present one."""
        self._process = subprocess.Popen(
            own_command("annotation.worker"),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A module in the present folder is not the one that its name means.
            env={**os.environ, "PYTHONPATH": own_paths(), "PYTHONSAFEPATH": "1"},
            start_new_session=True,  # Ctrl-C is for the program, which ends its workers
        )
        self._send(Begin(config, workers))

    def start(self, on_note: Callable[[Note], None]) -> Ready:
        """Wait until the model is loaded."""
        for reply in self._replies():
            if isinstance(reply, Ready):
                return reply
            if isinstance(reply, Failed):
                raise failure(reply)
            if isinstance(reply, Note):
                on_note(reply)
        raise FoalError(f"a worker has ended before it was ready ({self._ending()}); run `foal-edge doctor`")

    def run(self, task: Task, on_reply: OnReply) -> Done | Failed:
        """Do one task; a worker that ends in it has failed, and is of no more use."""
        self._send(Job.of(task.entry.recording, task.entry.stem, task.formats))
        for reply in self._replies():
            if isinstance(reply, Done | Failed):
                return reply
            if not isinstance(reply, Ready):
                on_reply(task, reply)
        return Failed(
            f"{task.entry.recording} has ended the process that read it ({self._ending()}); "
            "convert it with ffmpeg, or give fewer --jobs where memory is short",
            SourceError.exit_status,
        )

    @property
    def has_ended(self) -> bool:
        """True if the process is gone."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask the process to end now, and to remove what it has half written."""
        self._process.terminate()

    def kill(self, patience_s: float = 0.0) -> None:
        """End the process, at once where it has not ended by itself in time."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def close(self) -> None:
        """Let the process end, which has nothing to do any more."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()

    def _send(self, line: Begin | Job) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(line) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # its stdout has ended, too, which `_replies` tells

    def _replies(self) -> Iterator[Reply]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield msgspec.json.decode(line, type=Reply)

    def _ending(self) -> str:
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"


class Crew:
    """Workers with one configuration, the first of which is ready; to be closed."""

    def __init__(self, config: Config, size: int, on_note: Callable[[Note], None]) -> None:
        """Start the first worker; FoalError where the model cannot be loaded."""
        self._config, self._size, self._on_note = config, size, on_note
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._workers: list[Worker] = []
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        first = self._hire()
        try:
            self.ready = first.start(on_note)
        except BaseException:
            self.close()
            raise
        self._idle.put(first)

    def run(self, tasks: Sequence[Task], on_reply: OnReply, stop: threading.Event) -> None:
        """Do all tasks, several at once, until `stop` is set.

        A recording that fails is told to `on_reply`. FoalError, which ends the others, where what fails is no
        recording: a full disk, say.
        """
        waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        size = min(self._size, len(tasks))
        with ThreadPoolExecutor(max(1, size), thread_name_prefix="annotate") as threads:
            running = {threads.submit(self._work, waiting, on_reply) for _ in range(size)}
            try:
                while running:
                    ended, running = wait(running, POLL_S)
                    for thread in ended:
                        thread.result()
                    if stop.is_set():
                        break
            finally:
                if running:
                    self._stop()

    def _work(self, waiting: "queue.SimpleQueue[Task]", on_reply: OnReply) -> None:
        worker = self._find()
        while not self._stopping.is_set():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                self._idle.put(worker)
                return
            worker = self._find() if worker.has_ended else worker
            end = worker.run(task, on_reply)
            if self._stopping.is_set():
                return
            if isinstance(end, Failed) and end.exit_status != SourceError.exit_status:
                raise failure(end)
            on_reply(task, end)

    def _find(self) -> Worker:
        """Return a worker that is ready and waits, or else a new one."""
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            worker = self._hire()
            worker.start(self._on_note)
            return worker

    def _hire(self) -> Worker:
        with self._lock:
            worker = Worker(self._config, self._size)
            self._workers.append(worker)
            if self._stopping.is_set():
                worker.kill()
            return worker

    def _stop(self) -> None:
        with self._lock:
            self._stopping.set()
            for worker in self._workers:
                worker.stop()
            for worker in self._workers:
                worker.kill(PATIENCE_S)

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.close()


def failure(reply: Failed) -> FoalError:
    """Return the error that a worker has ended with."""
    error = FoalError(reply.text)
    error.exit_status = reply.exit_status
    return error
