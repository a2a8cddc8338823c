"""A scheduler and workers of Dask in processes of their own, as a user starts them, and work for them to do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("distributed", reason="the extra spread is not installed")

from distributed import Client

from edge.cluster.node import ProcessEndedError

ROOT = Path(__file__).parents[1]
START_S = 120.0
"""Longest wait for the workers of a busy machine, which import torch where they embed."""
MOST_WORKERS = 2
"""Workers that may die of one piece of work; Dask's own setting would be four, which takes longer."""


class Started(NamedTuple):
    """A cluster that runs."""

    address: str
    folder: Path
    workers: int


@contextmanager
def start_cluster(folder: Path, workers: int, preload: Path | None = None) -> Iterator[Started]:
    """A scheduler and workers of one thread each; one that dies is started again by their nanny."""
    told = folder / "scheduler.json"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(MOST_WORKERS - 1),
        "OMP_NUM_THREADS": "1",
    }
    dask = [sys.executable, "-m", "dask"]
    extra = ["--preload", str(preload)] if preload else []
    told_to = ["--scheduler-file", str(told), "--no-dashboard"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *told_to]]
    if workers:
        commands.append([*dask, "worker", "--nworkers", str(workers), "--nthreads", "1", *told_to, *extra])
    processes = []
    try:
        for number, command in enumerate(commands):
            with (folder / f"{number}.log").open("w") as log:
                processes.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
        address = wait_for_address(told, processes[0])
        if workers:
            with Client(address, timeout=START_S, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=START_S)
        yield Started(address, folder, workers)
    finally:
        for process in processes[::-1]:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_address(told: Path, scheduler: "subprocess.Popen[bytes]") -> str:
    """The scheduler's address, from the file that it writes."""
    while scheduler.poll() is None:
        try:
            return str(json.loads(told.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.02)
    raise AssertionError((told.parent / "0.log").read_text())


def workers_of(started: Started) -> list[int]:
    """The process of each worker, once all are there."""
    with Client(started.address, timeout=START_S, set_as_default=False) as client:
        client.wait_for_workers(started.workers, timeout=START_S)
        return list(client.run(os.getpid).values())


def cube(number: int, calls: Path, pause_s: float) -> int:
    """The cube of a number after a while; each call leaves a file, which names the process."""
    (calls / f"{number}-{os.getpid()}").touch()
    time.sleep(pause_s)
    return number**3


def cube_or_die(number: int, deadly: int, calls: Path) -> int:
    """The cube of a number, unless it kills whoever is asked."""
    if number == deadly:
        (calls / f"{number}-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**3


def lose_a_process(calls: Path) -> None:
    """What a worker raises whose own process has ended."""
    (calls / f"lost-{len(list(calls.iterdir()))}").touch()
    raise ProcessEndedError("it has ended the process that read it (SIGSEGV)")
