"""Windows against those of the runtime itself."""

import threading

import numpy as np
import pytest

from edge.bench.workload import cut_windows, images, read_first_minute
from edge.errors import SourceError
from edge.live.loop import run_fast
from edge.live.pipeline import build_pipeline
from edge.live.recognizer import Recognizer
from edge.preprocess.framing import WholeFraming
from edge.wire.messages import Prediction
from tests.edge.made_run import MS, Script, recorded, run_spec


@pytest.fixture
def recognizer(manifest, numpy_backend) -> Recognizer:
    return Recognizer(manifest, numpy_backend)


def test_windows_are_those_that_the_runtime_predicts(recognizer) -> None:
    window_ms = round(recognizer.manifest.audio.window_s * 1000)
    media, published = recorded(3 * window_ms), []
    windows = cut_windows(media, recognizer, WholeFraming(8, 8), 0.5)
    pipeline = build_pipeline(run_spec("main", latest_only=False), recognizer, published.append)
    run_fast(pipeline.loop, [Script(media)], 500 * MS, threading.Event(), lambda _: None)
    whole = [
        message
        for message in published
        if isinstance(message, Prediction) and message.mono_end - message.mono_start >= window_ms * MS
    ]
    assert len(windows) == len(whole) > 1
    for window, message in zip(windows, whole, strict=True):
        assert len(window.all_crops) == len(window.embeddings) == message.video.frames
        np.testing.assert_array_equal(recognizer.embed(window.all_crops), window.embeddings)
        assert recognizer.recognize([window])[0].probs.tolist() == message.probs


def test_a_recording_shorter_than_a_hop_is_refused(recognizer) -> None:
    with pytest.raises(SourceError, match="shorter than a hop of 5 s"):
        cut_windows(recorded(1000), recognizer, WholeFraming(8, 8), 5)


def test_a_recording_without_anything_is_refused() -> None:
    with pytest.raises(SourceError, match="script has neither"):
        read_first_minute(Script([]))
    with pytest.raises(SourceError, match=r"script lasts 0\.8 s, at least 1 s is expected"):
        read_first_minute(Script(recorded(800)))
    with pytest.raises(SourceError, match="no video"):
        images(recorded(1000, picture_ms=-1)[:0])
