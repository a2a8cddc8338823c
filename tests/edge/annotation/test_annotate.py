"""Annotation of one recording: the numbers of `--file --fast`, what is missing, what is refused."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edge.annotation.about import missing_formats, read_about
from edge.annotation.annotate import annotate
from edge.annotation.annotator import Annotator
from edge.annotation.collection import Entry
from edge.annotation.rows import Row, make_row
from edge.backends.tensorrt.progress import quiet_engine_builder
from edge.errors import SourceError, UsageError
from edge.session.config import Config, StreamConfig
from edge.session.model import Model
from edge.session.run import run
from edge.sources.demo import MOODS, face
from edge.wire.messages import Message, Prediction, SteadyState


def ignore(*_: object) -> None:
    pass


def run_fast(recording: Path, settings: Config) -> list[Message]:
    """What `foal-edge --file RECORDING --fast` publishes."""
    config = replace(settings, streams=(StreamConfig(file=str(recording)),), fast=True)
    sent: list[Message] = []
    run(config, threading.Event(), quiet_engine_builder(), ignore, sent.append)
    return sent


def rows_of(messages: list[Message], like: list[Row]) -> list[Row]:
    """The rows of the predictions, with the steady labels and frames of others."""
    predictions = [message for message in messages if isinstance(message, Prediction)]
    rows = [make_row(each, row.steady_label, None) for each, row in zip(predictions, like, strict=True)]
    return [replace(each, frame=row.frame) for each, row in zip(rows, like, strict=True)]


def changes(rows: list[Row]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for row in rows:
        if not found or found[-1][1] != row.steady_label:
            found.append((row.end_s, row.steady_label))
    return found


def test_the_numbers_are_those_of_a_fast_run(film: Path, model: Model, settings: Config) -> None:
    found = annotate(film, model, settings, ignore)
    messages = run_fast(film, settings)
    assert len(found.rows) == 8
    assert rows_of(messages, found.rows) == found.rows
    events = [(event.mono_since / 1e9, event.label) for event in messages if isinstance(event, SteadyState)]
    assert changes(found.rows) == events


def test_a_recording_that_grows_or_goes_meanwhile_is_the_one_that_was_begun(
    film: Path, model: Model, settings: Config, tmp_path: Path
) -> None:
    recording = Path(shutil.copy(film, tmp_path))
    annotator, entry = Annotator(model, settings), Entry(recording, tmp_path / "film")
    annotation = annotator.annotate(recording, lambda *_: recording.unlink(missing_ok=True))
    annotator.write(annotation, entry, ["csv"], [])
    about = read_about(entry.note)
    assert about is not None
    assert (about.size_bytes, about.rows) == (film.stat().st_size, len(annotation.rows))
    recording.write_bytes(film.read_bytes() + b"more")
    with pytest.raises(UsageError, match=r"has \d+; give another -o, or --overwrite"):
        missing_formats(recording, entry.note, annotator.settings, ["csv"])


def test_the_numbers_of_real_clips_are_those_of_a_fast_run(
    recordings: list[Path], model: Model, settings: Config
) -> None:
    for recording in recordings:
        found = annotate(recording, model, settings, ignore)
        assert found.rows
        assert rows_of(run_fast(recording, settings), found.rows) == found.rows


def test_progress_tells_the_time_reached_and_the_duration(film: Path, model: Model, settings: Config) -> None:
    told: list[tuple[float, float | None]] = []
    annotate(film, model, settings, lambda *position: told.append(position))
    assert told
    assert all(0 <= time_s <= 4 and duration_s == pytest.approx(4, abs=0.2) for time_s, duration_s in told)


@pytest.mark.parametrize(("kept", "missing"), [("video", "audio"), ("audio", "video")])
def test_a_recording_without_one_of_them_goes_on_and_says_so(
    tmp_path: Path,
    make_clip: Callable[..., Path],
    tone: Callable[..., np.ndarray],
    model: Model,
    settings: Config,
    caplog: pytest.LogCaptureFixture,
    kept: str,
    missing: str,
) -> None:
    parts = {"images": np.stack([face(MOODS[0])] * 10)} if kept == "video" else {"samples": tone(1.0)}
    path = make_clip(tmp_path / "half.mkv", **parts)
    found = annotate(path, model, settings, ignore)
    assert {getattr(row, missing) for row in found.rows} == {"off"}
    assert f"{path} has no {missing}: it is annotated by its {kept} alone" in caplog.text


def test_a_modality_that_is_not_wanted_is_left_out_without_a_word(
    film: Path, model: Model, settings: Config, caplog: pytest.LogCaptureFixture
) -> None:
    found = annotate(film, model, replace(settings, streams=(StreamConfig(camera="off"),)), ignore)
    assert {row.video for row in found.rows} == {"off"}
    assert {row.frame for row in found.rows} == {None}
    assert "annotated by" not in caplog.text


def test_a_recording_with_nothing_that_is_wanted_is_refused(
    tmp_path: Path,
    make_clip: Callable[..., Path],
    tone: Callable[..., np.ndarray],
    model: Model,
    settings: Config,
) -> None:
    path = make_clip(tmp_path / "blind.wav", samples=tone(1.0))
    with pytest.raises(SourceError, match="has audio alone, which is left out; annotate it without --no-audio"):
        annotate(path, model, replace(settings, streams=(StreamConfig(mic="off"),)), ignore)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp"])
def test_a_still_image_is_named_to_score(tmp_path: Path, model: Model, settings: Config, suffix: str) -> None:
    path = tmp_path / f"face.{suffix}"
    cv2.imwrite(str(path), face(MOODS[0]))
    with pytest.raises(SourceError, match="is a still image: use foal-edge score"):
        annotate(path, model, settings, ignore)


def test_a_recording_without_a_window_is_explained(
    tmp_path: Path,
    make_clip: Callable[..., Path],
    tone: Callable[..., np.ndarray],
    model: Model,
    settings: Config,
) -> None:
    path = make_clip(tmp_path / "short.wav", samples=tone(0.2))
    with pytest.raises(SourceError, match=r"short\.wav gave no window: shorter than the hop of 0\.5 s"):
        annotate(path, model, settings, ignore)
