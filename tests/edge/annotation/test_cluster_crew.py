"""Annotations by the workers of a cluster: those of one process on this machine, whatever dies in the middle."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed", reason="the extra spread is not installed")

from edge.annotation.cluster_crew import ClusterCrew
from edge.annotation.collection import collect
from edge.annotation.crew import Task
from edge.annotation.protocol import Done, Failed
from edge.errors import FoalError, UsageError
from edge.session.config import Config
from tests.conftest import Ended
from tests.dask_cluster import Started, start_cluster, workers_of


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with start_cluster(tmp_path_factory.mktemp("cluster"), workers=2) as started:
        yield started


@pytest.fixture
def crew(started: Started, settings: Config) -> Iterator[ClusterCrew]:
    with closing(ClusterCrew(settings, started.address)) as crew:
        yield crew


@pytest.fixture
def voices(tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray]) -> list[Path]:
    return [make_clip(tmp_path / f"{number}.wav", samples=tone(1.0)) for number in range(5)]


def tasks_of(recordings: list[Path], output: Path) -> list[Task]:
    output.mkdir(exist_ok=True)
    return [Task(entry, ["csv"]) for entry in collect([str(path) for path in recordings], [], output)]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def open_in(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    try:
        return any(os.readlink(each) == str(path) for each in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started, whichever of its threads did; threads may end meanwhile."""
    found = []
    for of_thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, of_thread.read_text().split())
    return found


def kill_whoever_opens(path: Path, workers: list[int], over: threading.Event, killed: list[int]) -> None:
    """Kill each process of a worker that opens a file, as a decoder does that crashes on it."""
    while not over.wait(0.005):
        for process in [child for worker in workers for child in children(worker)]:
            if open_in(process, path):
                os.kill(process, signal.SIGKILL)
                killed.append(process)


def test_files_are_those_of_one_process_and_are_not_made_twice(
    started: Started,
    film: Path,
    voices: list[Path],
    tmp_path: Path,
    edge_command: Callable[..., Ended],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By paths that are relative to where the command is given, though workers run elsewhere; a worker dies of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.mkv").write_bytes(film.read_bytes())
    (tmp_path / "text.mp4").write_text("no film" * 100)
    command = ["annotate", "talk.mkv", *(path.name for path in voices), "text.mp4", "--threads", 1]
    command += ["--backend", "onnxruntime"]
    alone = edge_command(*command, "-o", "alone", "--jobs", 1)
    over = threading.Event()
    killer = threading.Thread(target=kill_a_worker_once, args=(started, tmp_path / "spread", over))
    killer.start()
    spread = edge_command(*command, "-o", "spread", "--workers", started.address)
    over.set()
    killer.join()
    assert (alone.status, spread.status) == (3, 3)
    assert "1 of 7 recordings could not be annotated:\n    text.mp4" in spread.err
    assert len(files(tmp_path / "spread")) == 12
    assert files(tmp_path / "spread") == files(tmp_path / "alone")
    again = edge_command(*command, "-o", "spread", "--workers", started.address)
    assert "0 of 7 recordings annotated in spread: 0 windows in 0.0 s of recordings, 6 were done before" in again.err


def kill_a_worker_once(started: Started, output: Path, over: threading.Event) -> None:
    """Kill one of the workers, once the first recording is done."""
    pids = workers_of(started)
    while not over.wait(0.01):
        if list(output.glob("*.about.json")):
            os.kill(pids[0], signal.SIGKILL)
            return


def test_a_recording_that_kills_whoever_reads_it_is_named_and_the_others_are_done(
    started: Started,
    crew: ClusterCrew,
    voices: list[Path],
    tmp_path: Path,
    make_clip: Callable[..., Path],
    tone: Callable[..., np.ndarray],
) -> None:
    deadly = make_clip(tmp_path / "deadly.wav", samples=tone(300.0))
    over, killed, ends = threading.Event(), list[int](), dict[str, Done | Failed]()
    killer = threading.Thread(target=kill_whoever_opens, args=(deadly, workers_of(started), over, killed))
    killer.start()

    def on_reply(task: Task, reply: object) -> None:
        if isinstance(reply, Done | Failed):
            ends[task.entry.recording.name] = reply

    crew.run(tasks_of([deadly, *voices], tmp_path / "out"), on_reply, threading.Event())
    over.set()
    killer.join()
    failed = ends.pop("deadly.wav")
    assert isinstance(failed, Failed)
    assert "deadly.wav is given up: " in failed.text
    assert "has ended the process that read it (SIGKILL)" in failed.text
    assert failed.text.endswith("it was tried 3 times")
    assert len(set(killed)) == 3
    assert {name: type(end) for name, end in ends.items()} == {path.name: Done for path in voices}


def test_what_a_worker_does_not_see_is_said(crew: ClusterCrew, voices: list[Path], tmp_path: Path) -> None:
    tasks = tasks_of(voices[:1], tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(UsageError, match=r"the folder .*out is not to be seen here; .* \(on the worker at "):
        crew.run(tasks, lambda *_: None, threading.Event())


def test_a_model_that_cannot_be_had_there_is_told(started: Started, settings: Config, tmp_path: Path) -> None:
    from msgspec.structs import replace

    with pytest.raises(FoalError, match=r"no bundle at .* \(on the worker at ") as caught:
        ClusterCrew(replace(settings, bundle=str(tmp_path)), started.address)
    assert caught.value.exit_status == 4
