"""Crew of a cluster: the workers of a Dask scheduler, each with processes that annotate; see `crew` for one machine."""

import logging
import os
import threading
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from ..cluster.cluster import Cluster, GivenUp
from ..cluster.shared_folder import size_of, wait_until_seen
from ..errors import FoalError, SourceError
from ..session.config import Config
from ..system.own_program import PACKAGE
from .cluster_worker import SharedJob, There, annotate_there, end_there, ready_there
from .crew import OnReply, Task, failure
from .protocol import Begin, Done, Failed, Job, Note, Ready

log = logging.getLogger(__name__)


class ClusterCrew:
    """Workers of a cluster, one of which has loaded the model; to be closed."""

    def __init__(self, config: Config, address: str) -> None:
        """Connect and load the model on one worker; FoalError where that cannot be."""
        self._session = uuid.uuid4().hex
        self._cluster = Cluster(address, [PACKAGE])
        try:
            # More than one, as a worker may have several threads: OpenCV's own threads would only get in their way.
            there = There(self._session, Begin(config, 2), os.fsencode(Path.cwd()))
            self._there = msgspec.json.encode(there)
            self.ready = self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> Ready:
        stop = threading.Event()
        ((_, result),) = self._cluster.spread(ready_there, [(None, (self._there,))], stop)
        if isinstance(result, GivenUp):
            raise FoalError(f"no worker could load the model: {result.why}; run `foal-edge doctor` there")
        return msgspec.json.decode(result, type=Ready)

    def run(self, tasks: Sequence[Task], on_reply: OnReply, stop: threading.Event) -> None:
        """Do all tasks until `stop` is set; a recording that fails is told to `on_reply`, as one no worker survives.

        FoalError, which ends the others, where what fails is no recording: a full disk, a folder that is not shared.
        """
        expected = msgspec.json.encode(self.ready.settings)
        work = [(task, (self._there, expected, msgspec.json.encode(shared_job(task)))) for task in tasks]
        with closing(self._cluster.spread(annotate_there, work, stop)) as outcomes:
            for task, result in outcomes:
                for reply in replies(task, result):
                    if isinstance(reply, Failed) and reply.exit_status != SourceError.exit_status:
                        raise failure(reply)
                    if isinstance(reply, Done):
                        wait_until_seen(task.entry.note)
                    on_reply(task, reply)

    def close(self) -> None:
        """End what the command has started on the workers, and the connection."""
        try:
            self._cluster.on_each(end_there, self._session)
        except OSError as error:
            log.warning("what annotates on the workers ends with the next command (%s)", error)
        finally:
            self._cluster.close()


def replies(task: Task, result: list[bytes] | GivenUp) -> list[Note | Done | Failed]:
    """Return what a worker has said of a task."""
    if isinstance(result, GivenUp):
        return [Failed(f"{task.entry.recording} is given up: {result.why}", SourceError.exit_status)]
    return [msgspec.json.decode(line, type=Note | Done | Failed) for line in result]


def shared_job(task: Task) -> SharedJob:
    """Return the job of a task with what tells whether a worker sees the same file."""
    recording = task.entry.recording
    return SharedJob(Job.of(recording, task.entry.stem, task.formats), size_of(recording))
