"""Whole runs of real recordings in threads, of which some break: the others go on, and the end says what has failed."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.cli.engine_builder import make_engine_builder
from edge.errors import FoalError, SourceError
from edge.preprocess.media import Media
from edge.session import inputs
from edge.session.config import Config, StreamConfig
from edge.session.run import run
from edge.sources.demo import MOODS, face
from edge.sources.media import MediaFile
from edge.wire.messages import Message, Prediction, Status

SETTINGS = Config((StreamConfig(demo=True),), bind="tcp://127.0.0.1:*", backend="onnxruntime", threads=1, hop_s=0.5)
IDLE = make_engine_builder(bool, quiet=True)
GOES_ON = threading.Event()


def breaking(media: Iterator[Media], kind: str) -> Iterator[Media]:
    """Events that break after the 30th, in the way that the recording's name says."""
    for number, item in enumerate(media):
        if number == 30:
            if kind == "raises":
                raise IndexError("tuple index out of range")
            if kind == "hangs":
                GOES_ON.wait()
            if kind == "ends":
                return
            if kind == "garbage":
                yield None  # type: ignore[misc]
        yield item


@pytest.fixture
def recordings(tmp_path, make_clip, tone, monkeypatch) -> Iterator[Callable[[str], str]]:
    """A clip of 1.6 s for each name; all but `healthy` break."""

    class Breaking(MediaFile):
        def read(self) -> Iterator[Media]:
            return breaking(super().read(), Path(self.name).stem)

    monkeypatch.setattr(inputs, "MediaFile", Breaking)
    clip = make_clip(tmp_path / "healthy.mkv", np.stack([face(MOODS[0])] * 16), tone(1.6))

    def named(name: str) -> str:
        path = tmp_path / f"{name}.mkv"
        if not path.exists():
            path.write_bytes(clip.read_bytes())
        return str(path)

    GOES_ON.clear()
    yield named
    GOES_ON.set()


def run_all(named: Callable[[str], str], *names: str, fast: bool = False) -> tuple[list[Any], FoalError | None]:
    """What was published, and what the run ended with; it is stopped once the healthy one has ended."""
    sent: list[Any] = []
    stop = threading.Event()

    def see(message: Message) -> None:
        sent.append(message)
        is_over = isinstance(message, Status) and (message.stream, message.state) == ("healthy", "stopped")
        if is_over and "hangs" in names:
            stop.set()

    streams = tuple(StreamConfig(name, file=named(name)) for name in names)
    try:
        run(msgspec.structs.replace(SETTINGS, streams=streams, fast=fast), stop, IDLE, lambda _: None, see)
    except FoalError as error:
        return sent, error
    return sent, None


def healthy(sent: list[Any]) -> list[Prediction]:
    return [message for message in sent if isinstance(message, Prediction) and message.stream == "healthy"]


def assert_same(one: list[Prediction], other: list[Prediction]) -> None:
    """The same windows with the same evidence; a batch of two rounds a little otherwise than one."""
    assert len(one) == len(other) == 3
    for mine, theirs in zip(one, other, strict=True):
        assert (mine.label, mine.audio, mine.video) == (theirs.label, theirs.audio, theirs.video)
        assert mine.mono_end - mine.mono_start == theirs.mono_end - theirs.mono_start
        np.testing.assert_allclose(mine.probs, theirs.probs, atol=1e-4)


@pytest.mark.parametrize("kind", ["raises", "ends", "garbage"])
def test_fast_the_other_recording_is_as_if_alone(recordings, kind: str) -> None:
    alone, _ = run_all(recordings, "healthy", fast=True)
    together, error = run_all(recordings, kind, "healthy", fast=True)
    assert_same(healthy(together), healthy(alone))
    assert (error is None) == (kind == "ends")
    if error:
        assert isinstance(error, SourceError)
        assert f"{kind}.mkv has failed" in str(error)


def test_live_recordings_that_break_end_alone_and_all_are_told_at_the_end(recordings, caplog) -> None:
    names = ("raises", "healthy", "ends", "garbage")
    sent, error = run_all(recordings, *names)
    assert healthy(sent)[-1].audio.state in ("ok", "no_speech"), "a tone is heard, though it may be no voice"
    assert {message.stream for message in sent if isinstance(message, Status) and message.state == "stopped"} == set(
        names
    )
    assert error is not None
    assert error.exit_status == SourceError.exit_status
    assert "raises: " in str(error)
    assert "garbage: " in str(error)
    said = [record.getMessage() for record in caplog.records if "has ended" in record.getMessage()]
    assert sorted(line.split()[1] for line in said) == ["garbage", "raises"]


def test_live_a_recording_that_hangs_keeps_nobody(recordings) -> None:
    sent, error = run_all(recordings, "hangs", "healthy")
    assert error is None
    assert [message.stream for message in sent if isinstance(message, Status) and message.state == "stopped"] == [
        "healthy",
        "hangs",
    ]
    assert len(healthy(sent)) >= 1


def test_the_only_stream_that_breaks_is_the_runs_own_error(recordings) -> None:
    sent, error = run_all(recordings, "raises")
    assert isinstance(error, SourceError)
    assert str(error).endswith("has failed: IndexError: tuple index out of range")
    assert [message.state for message in sent if isinstance(message, Status)][-1] == "stopped"
