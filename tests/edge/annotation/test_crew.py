"""Workers in processes of their own: what they do, and what becomes of the others when one ends."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from edge.annotation.about import missing_formats
from edge.annotation.collection import collect
from edge.annotation.crew import Crew, Task, Worker
from edge.annotation.formats import FILM
from edge.annotation.protocol import Done, Failed
from edge.errors import BundleError, FoalError
from edge.session.config import Config


def ignore(*_: object) -> None:
    pass


@pytest.fixture(scope="module")
def crew(settings: Config) -> Iterator[Crew]:
    with closing(Crew(settings, 2, ignore)) as crew:
        yield crew


@pytest.fixture
def voices(tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray]) -> list[Path]:
    return [make_clip(tmp_path / f"{number}.wav", samples=tone(1.0)) for number in range(3)]


def tasks_of(recordings: list[Path], output: Path) -> list[Task]:
    output.mkdir(exist_ok=True)
    return [Task(entry, ["csv"]) for entry in collect([str(path) for path in recordings], [], output)]


def test_all_are_annotated_and_those_that_fail_are_told(crew: Crew, voices: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film" * 100)
    ends: dict[str, Done | Failed] = {}

    def on_reply(task: Task, reply: object) -> None:
        if isinstance(reply, Done | Failed):
            ends[task.entry.recording.name] = reply

    crew.run(tasks_of([*voices, tmp_path / "text.mp4"], tmp_path / "out"), on_reply, threading.Event())
    failed = ends.pop("text.mp4")
    assert isinstance(failed, Failed)
    assert "text.mp4" in failed.text
    assert {name: type(end) for name, end in ends.items()} == {f"{number}.wav": Done for number in range(3)}
    assert sorted(path.name for path in (tmp_path / "out").glob("*.csv")) == [
        f"{number}.emotions.csv" for number in range(3)
    ]


def test_a_worker_that_is_killed_is_replaced(
    settings: Config, voices: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a decoder that crashes: its recording is named, the others go on."""
    real, told = Worker.run, []

    def run(self: Worker, task: Task, on_reply: Callable[..., None]) -> Done | Failed:
        if task.entry.recording == voices[0]:
            self.kill()
        return real(self, task, on_reply)

    monkeypatch.setattr(Worker, "run", run)
    with closing(Crew(settings, 1, ignore)) as crew:
        crew.run(
            tasks_of(voices, tmp_path / "out"),
            lambda task, reply: told.append((task.entry.recording.name, type(reply), getattr(reply, "text", ""))),
            threading.Event(),
        )
    ends = [(name, kind, text) for name, kind, text in told if kind in (Done, Failed)]
    assert [(name, kind) for name, kind, _ in ends] == [("0.wav", Failed), ("1.wav", Done), ("2.wav", Done)]
    assert "has ended the process that read it (SIGKILL)" in ends[0][2]


def test_a_stop_ends_all_and_leaves_nothing_half_written(
    settings: Config, film: Path, voices: list[Path], tmp_path: Path
) -> None:
    """Once the first of them is being drawn."""
    stop = threading.Event()
    tasks = [task._replace(formats=["csv", FILM]) for task in tasks_of([film, *voices], tmp_path / "out")]
    with closing(Crew(settings, 1, ignore)) as crew:
        watcher = threading.Thread(target=stop_once, args=(stop, tmp_path / "out"))
        watcher.start()
        crew.run(tasks, ignore, stop)
        watcher.join()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {name for name in names if name.endswith(".part")} == set()
    assert {name.replace(".about.json", ".csv") for name in names if name.endswith(".about.json")} <= names


def stop_once(stop: threading.Event, folder: Path) -> None:
    """Set `stop` once the film is being drawn, or whoever draws it has gone on."""
    while not [*folder.glob(".talk.emotions.mkv.*.part"), *folder.glob("talk.emotions.about.json")]:
        stop.wait(0.01)
    stop.set()


def test_a_model_that_cannot_be_had_is_told_with_its_exit_status(settings: Config, tmp_path: Path) -> None:
    with pytest.raises(FoalError, match="no bundle at") as caught:
        Crew(replace(settings, bundle=str(tmp_path)), 1, ignore)
    assert caught.value.exit_status == BundleError.exit_status


def test_names_that_are_no_text_are_annotated(crew: Crew, voices: list[Path], tmp_path: Path) -> None:
    odd = voices[0].rename(os.fsdecode(os.fsencode(tmp_path) + b"/f\xfcr.wav"))
    task, told = tasks_of([odd], tmp_path / "out")[0], []
    crew.run([task], lambda _, reply: told.append(reply), threading.Event())
    assert isinstance(told[-1], Done)
    assert set(os.listdir(os.fsencode(tmp_path / "out"))) == {b"f\xfcr.emotions.csv", b"f\xfcr.emotions.about.json"}
    assert missing_formats(odd, task.entry.note, crew.ready.settings, ["csv", "vtt"]) == ["vtt"]


def test_what_is_no_fault_of_a_recording_ends_all(crew: Crew, voices: list[Path], tmp_path: Path) -> None:
    tasks = tasks_of(voices, tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(FoalError, match=r"cannot write .*No such file"):
        crew.run(tasks, ignore, threading.Event())
