"""Measured costs are those of graphs and frames, positive and by rows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.capacity import measure
from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import SHIPPED, load
from edge.sources.demo import MOODS, face


def test_a_graph_takes_longer_with_more_rows() -> None:
    bundle = load(SHIPPED)
    found = measure.measure_graph(bundle, OrtBackend(bundle, threads=1), "audio_encoder")
    assert found.call_ms >= 0
    assert 0 < found.row_ms < 1000
    assert found.ms(8) > found.ms(1)


def test_a_frame_takes_time(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    film = make_clip(tmp_path / "film.mkv", np.stack([face(MOODS[1])] * 20))
    assert 0 < measure.measure_frame(load(SHIPPED), film) < 10_000
