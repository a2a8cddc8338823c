"""With real disks: what is kept and what is not, slow ones, full ones, and a program that is killed."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.errors import UsageError
from edge.live.inbox import LoopInput
from edge.preprocess.media import Block, Frame
from edge.recording import recorder as module
from edge.recording.metadata import file_name
from edge.recording.reader import read_inputs, read_messages, read_metadata
from edge.recording.recorder import MESSAGES, MOST_WAITING, STEPS, Recorder
from edge.recording.records import End, Gap
from edge.recording.writer import RunWriter
from edge.wire.messages import Message
from tests.edge.recording.made_recordings import (
    MS,
    about,
    assert_same,
    file_of,
    kept_in,
    loop_input,
    loop_inputs,
    noise,
    record,
    status,
)

ROOT = Path(__file__).parents[3]
TWO = about("cam1", "cam2")
WAIT_S = 60


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_only_the_owner_may_look_at_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = record(tmp_path / "new", loop_inputs(3), [status(0)], TWO)
    finally:
        os.umask(old)
    assert modes(folder) == {folder.name: 0o700, file_name(0): 0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert read_metadata(folder) == msgspec.structs.replace(TWO, media=True)


def test_without_asking_neither_sound_nor_picture_is_kept(tmp_path: Path) -> None:
    image = np.frombuffer(b"secret" * 600, np.uint8).reshape(30, 40, 3)
    audio = np.frombuffer(b"secret!!" * 1000, np.float32)
    seen = [loop_input(number, Frame(image, number), Block(audio, number)) for number in range(50)]
    folder = record(tmp_path, seen, [status(number) for number in range(50)], about(), media=False)
    assert len(list(read_messages(folder))) == 51
    kept = kept_in(file_of(folder))
    assert {topic for topic, *_ in kept} == {"status.cam1.", "recording."}
    assert "c2VjcmV0" not in json.dumps(kept), "the beginning of what is secret, in base64"
    assert not read_metadata(folder).media
    assert file_of(folder).stat().st_size < 50 * 400


class Unconverted:
    """A decoded image that notes whether it was kept."""

    nbytes, is_kept = 72, False

    def __call__(self) -> np.ndarray:
        return np.zeros((4, 6, 3), np.uint8)

    def keep(self) -> None:
        self.is_kept = True

    def picture(self) -> np.ndarray:
        return self()


@pytest.mark.parametrize("media", [True, False])
def test_a_decoded_image_that_is_recorded_is_converted_before_it_is_framed(tmp_path: Path, media: bool) -> None:
    """So that a replay, which has the converted one, frames the same."""
    picture = Unconverted()
    recorder = Recorder(tmp_path, about(), media=media)
    recorder.add_input(loop_input(1, Frame(picture, 1)))
    recorder.close()
    assert picture.is_kept == media


def test_what_is_flushed_can_be_read_while_the_run_goes_on(tmp_path: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.05)
    recorder = Recorder(tmp_path, TWO, media=True)
    taken = loop_inputs(4)
    for one in taken:
        recorder.add_input(one)
    recorder.add_message(status(0))
    until_s = time.monotonic() + WAIT_S
    while not list(read_messages(recorder.folder)) and time.monotonic() < until_s:
        time.sleep(0.01)
    caplog.clear()
    for one, other in zip(read_inputs(recorder.folder), taken, strict=True):
        assert_same(one, other)
    assert len(list(read_messages(recorder.folder))) == 1
    assert len(caplog.records) == 2
    recorder.close()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        UsageError, match=rf"cannot record to {tmp_path / name}/2023.*: {tmp_path / name}: (File ex|Not a dir)"
    ):
        Recorder(tmp_path / name, about(), media=False)


class HeldWriter(RunWriter):
    """A disk that takes nothing until it is let go."""

    go_on: threading.Event
    reached: threading.Event

    def add(self, item: Message | LoopInput) -> None:
        self.reached.set()
        assert self.go_on.wait(WAIT_S)
        super().add(item)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[HeldWriter]]:
    HeldWriter.go_on, HeldWriter.reached = threading.Event(), threading.Event()
    monkeypatch.setattr(module, "RunWriter", HeldWriter)
    yield HeldWriter
    HeldWriter.go_on.set()


def test_a_slow_disk_costs_steps_and_bounded_memory(tmp_path: Path, held: type[HeldWriter], caplog) -> None:
    recorder = Recorder(tmp_path, about(), media=True)
    recorder.add_input(loop_input(0))
    assert held.reached.wait(WAIT_S)
    alive: list[weakref.ref[np.ndarray]] = []
    for number in range(1, 101):
        image = np.zeros((1000, 1000, 3), np.uint8)
        alive.append(weakref.ref(image))
        recorder.add_input(loop_input(number, Frame(image, number)))
        del image
    kept = MOST_WAITING // (3_000_000 + 200)
    assert sum(one() is not None for one in alive) == kept
    assert recorder.lost == {MESSAGES: 0, STEPS: 100 - kept}
    held.go_on.set()
    until_s = time.monotonic() + WAIT_S
    while sum(one() is not None for one in alive) > 1 and time.monotonic() < until_s:
        time.sleep(0.01)
    recorder.add_input(loop_input(101))
    recorder.close()
    read = list(read_inputs(recorder.folder))
    assert [one.now_ns for one in read[: kept + 1]] == [number * MS for number in range(kept + 1)]
    assert read[kept + 1] == Gap(100 - kept)
    assert_same(read[kept + 2], loop_input(101))
    assert read[kept + 3 :] == [End()]
    assert recorder.problem == f"the recording in {recorder.folder} is incomplete: the disk is too slow"
    assert [said.getMessage() for said in caplog.records] == [
        f"{recorder.problem}. What is missing is marked in it; record less, or to a quicker disk"
    ]


def test_of_a_recording_that_waits_itself_nothing_is_lost(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1000)
    taken = [loop_input(number, noise(number, 30, 40)) for number in range(60)]
    folder = record(tmp_path, taken, [status(number) for number in range(60)], about(fast=True))
    for one, other in zip(read_inputs(folder), [*taken, End()], strict=True):
        assert one == End() or assert_same(one, other) is None
    assert len(list(read_messages(folder))) == 61


def test_a_disk_that_hangs_does_not_hold_the_end_up(
    tmp_path: Path, held: type[HeldWriter], monkeypatch, caplog
) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.05)
    recorder = Recorder(tmp_path, about(), media=True)
    for one in (loop_input(0), loop_input(1), loop_input(2)):
        recorder.add_input(one)
    assert held.reached.wait(WAIT_S)
    recorder.close()
    assert recorder.problem is not None
    assert recorder.problem.endswith("has ended: the disk has not taken the rest within 0 s")
    assert len(caplog.records) == 1
    held.go_on.set()
    monkeypatch.setattr(module, "CLOSE_S", WAIT_S)
    recorder.close()
    assert [type(one).__name__ for one in read_inputs(recorder.folder)] == ["LoopInput", "Gap", "End"]


def test_what_breaks_the_thread_is_raised(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, about(), media=True)
    recorder.add_input(loop_input(0, Frame(np.zeros((4, 4, 5), np.uint8), 0)))
    with pytest.raises(Exception, match="number of channels"):
        recorder.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk of 64 kB can be mounted: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_the_recording_and_nothing_else(small_disk: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.01)
    recorder = Recorder(small_disk, about(), media=True)
    until_s, number = time.monotonic() + WAIT_S, 0
    while recorder.problem is None and time.monotonic() < until_s:
        recorder.add_input(loop_input(number, noise(number, 24, 32)))
        recorder.add_message(status(number))
        number += 1
        time.sleep(0.001)
    for late in range(100):
        recorder.add_input(loop_input(number + late))
    recorder.close()
    assert recorder.problem == f"the recording in {recorder.folder} has ended: No space left on device"
    assert [said.getMessage() for said in caplog.records] == [
        f"{recorder.problem}. The program goes on without it; make room, or give another --record"
    ]
    read = list(read_inputs(recorder.folder))
    assert 5 < len(read) <= number
    for index, one in enumerate(read):
        assert_same(one, loop_input(index, noise(index, 24, 32)))
    assert 0 < len(list(read_messages(recorder.folder))) <= number


CHILD = """
import resource, sys, time
from pathlib import Path
from edge.recording.recorder import Recorder
from tests.edge.recording.made_recordings import about, loop_input, noise, status

largest = int(sys.argv[2])
if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
recorder = Recorder(Path(sys.argv[1]), about(), media=True)
print(recorder.folder, flush=True)
number = 0
while recorder.problem is None:
    recorder.add_input(loop_input(time.monotonic_ns() // 10**6, noise(number % 50, 8, 8)))
    recorder.add_message(status(number))
    number += 1
    time.sleep(0.002)
recorder.close()
print(recorder.problem, flush=True)
"""


def child(folder: Path, largest: int = 0) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", CHILD, str(folder), str(largest)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def grown(path: Path, beyond: int) -> int:
    """The size of a file once it is larger than `beyond`."""
    until_s = time.monotonic() + WAIT_S
    while not path.exists() or path.stat().st_size <= beyond:
        assert time.monotonic() < until_s, f"{path} did not grow within {WAIT_S} s"
        time.sleep(0.01)
    return path.stat().st_size


def test_a_program_that_is_killed_loses_what_was_not_written_yet(tmp_path: Path, record_property) -> None:
    with child(tmp_path) as killed:
        folder = Path(killed.stdout.readline().strip())
        path = file_of(folder)
        grown(path, grown(path, path.stat().st_size))
        killed_ms = time.monotonic_ns() // MS
        killed.send_signal(signal.SIGKILL)
    read = list(read_inputs(folder))
    times = [one.now_ns // MS for one in read]
    assert times == sorted(times)
    record_property("measured", f"a recording that was killed: its last {killed_ms - times[-1]} ms are lost")
    for number, one in enumerate(read):
        assert_same(one, loop_input(times[number], noise(number % 50, 8, 8)))
    sent = [message.mono_ns for message in read_messages(folder)]
    assert sent == list(range(len(sent)))
    assert min(len(read), len(sent)) > 1


def test_a_file_that_may_not_grow_ends_the_recording(tmp_path: Path) -> None:
    with child(tmp_path, 50_000) as limited:
        folder, problem = Path(limited.stdout.readline().strip()), limited.stdout.readline().strip()
    assert limited.returncode == 0
    assert problem == f"the recording in {folder} has ended: File too large"
    assert file_of(folder).stat().st_size == 50_000
    read, sent = list(read_inputs(folder)), list(read_messages(folder))
    assert min(len(read), len(sent)) > 50
    assert_same(read[-1], loop_input(read[-1].now_ns // MS, noise((len(read) - 1) % 50, 8, 8)))
    assert [message.mono_ns for message in sent] == list(range(len(sent)))
