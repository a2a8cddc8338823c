"""How many files, sockets and devices may be open at once."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from edge.backends import onnxruntime as ort
from edge.bundle.load import SHIPPED, load
from edge.errors import BundleError, FoalError
from edge.live.reporter import DropCounter
from edge.live.stream_runner import Failures, StreamRunner
from edge.preprocess.media import Block
from edge.system.files import check_file
from edge.system.resources import exhaustion, raise_limit


@pytest.fixture
def hard() -> Iterator[int]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_becomes_the_hard_one(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    warned: list[str] = []
    raise_limit(warned.append)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    assert not warned


def test_a_limit_that_cannot_be_raised_is_said_and_left(hard: int, monkeypatch) -> None:
    warned: list[str] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))

    def refuse(_kind: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    with monkeypatch.context() as patch:
        patch.setattr(resource, "setrlimit", refuse)
        raise_limit(warned.append)
    assert warned == ["512 files, sockets and devices may be open at once, no more: not allowed to raise maximum limit"]


PATIENCE_S = 60

ORT_FAILED = "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Exception during initialization: "
LACKING = [
    MemoryError(),
    ImportError("libssl.so.1.1: failed to map segment from shared object"),
    RuntimeError("can't start new thread"),
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError(f"{ORT_FAILED}std::bad_alloc"),
    RuntimeError("bfc_arena.cc:376 AllocateRawInternal Failed to allocate memory for requested buffer of size 4194304"),
    RuntimeError("env.cc:327 PosixThread::PosixThread(...) pthread_create failed, error code: 11"),
]


@pytest.fixture
def no_descriptor() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("error", LACKING, ids=str)
def test_a_lack_is_one_in_whose_words_ever(error: Exception) -> None:
    found = exhaustion(error)
    assert type(found) is FoalError
    assert found.exit_status == 1
    assert "not enough memory" in str(found)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("wrong axis"), ValueError("nan"), OSError(errno.ENOENT, "none"), BundleError("damaged")],
)
def test_what_is_none_is_left_to_others(error: Exception) -> None:
    assert exhaustion(error) is None


def test_a_bundle_is_not_damaged_where_no_descriptor_is_left(no_descriptor) -> None:
    with pytest.raises(FoalError, match="Too many open files") as ended:
        load(SHIPPED)
    assert ended.value.exit_status == 1


@pytest.mark.parametrize("error", LACKING, ids=str)
def test_a_graph_that_finds_no_memory_or_thread_is_not_damaged_and_prints_nothing(error, monkeypatch, capsys) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(ort.ort, "InferenceSession", fail)
    with pytest.raises(FoalError) as ended:
        ort.open_session(SHIPPED / "fusion.onnx")
    assert ended.value.exit_status == 1
    assert capsys.readouterr().out == ""


def test_a_graph_that_does_not_load_prints_nothing_on_stdout(capfd) -> None:
    with pytest.raises(BundleError):
        ort.open_session(b"no graph")
    options = ort.session_options(1)
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op_thread_affinities", "nonsense")
    with pytest.raises(FoalError):
        ort.open_session(SHIPPED / "fusion.onnx", options)
    assert capfd.readouterr().out == ""


def test_a_publisher_that_cannot_be_made_does_not_keep_the_program_from_ending() -> None:
    """Its guard runs by then."""
    code = """
import errno, sys
from edge.wire import publisher
def lacking():
    raise OSError(errno.EMFILE, "Too many open files")
publisher.WakeupPipe = lacking
try:
    publisher.Publisher("tcp://127.0.0.1:*", "json", None, None)
except OSError:
    sys.exit(7)
"""
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            assert process.wait(PATIENCE_S) == 7
        finally:
            process.kill()


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    (tmp_path / "a.mp4").touch()
    return tmp_path / "a.mp4"


def test_a_file_is_not_unreadable_where_no_descriptor_is_left(existing: Path, no_descriptor) -> None:
    with pytest.raises(FoalError, match="descriptors") as told:
        check_file(existing, "give another")
    assert told.value.exit_status == FoalError.exit_status


def test_a_stream_that_ends_for_want_of_descriptors_is_no_error_of_the_program() -> None:
    def add(_media: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    failures = Failures(1)
    reporter = cast(Any, SimpleNamespace(name="cam1", drops=DropCounter("cam1")))
    runner = StreamRunner(0, cast(Any, SimpleNamespace(add=add)), reporter, failures)
    runner.add(Block(np.zeros(320, np.float32), 0))
    assert not runner.is_running
    with pytest.raises(FoalError, match="descriptors"):
        failures.raise_any()
