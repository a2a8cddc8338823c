"""Workers: the shipped model's, and those of other packages where they can be installed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.models import Model, shipped
from benchmarks.peers.pictures import FaceSet
from benchmarks.peers.run import compare_all, measure, turns
from benchmarks.peers.table import SEVEN
from edge.errors import FoalError


@pytest.fixture
def faces() -> list[FaceSet]:
    draw = np.random.default_rng(0)
    return [FaceSet(f"{side}", draw.integers(0, 256, (2, side, side), np.uint8), {}) for side in (48, 85)]


def test_the_shipped_bundles_classify_every_face_in_the_first_round_alone(faces: list[FaceSet]) -> None:
    found = measure(shipped()[:1], faces, 2, lambda line: None)
    (each,) = found
    assert each.model.name == "foal-nano"
    assert each.answer is not None
    assert each.answer.labels == ["angry", "happy", "neutral", "sad"]
    assert [len(part) for part in each.answer.probs] == [2, 2]
    assert np.sum(each.answer.probs, axis=2) == pytest.approx(1, abs=1e-5)
    folder = Path(__file__).parents[3] / "edge/models/foal-nano"
    assert each.answer.weights_bytes == sum(
        (folder / name).stat().st_size for name in ("image_encoder.onnx", "fusion.onnx")
    )
    assert [len(each.cpu_ms), len(each.encoder_cpu_ms), len(each.start_s)] == [2, 2, 2]
    assert min(each.cpu_ms) > 0


def test_the_order_of_the_models_turns() -> None:
    found = ["a", "b"]
    assert [*turns(found, 3)] == [(0, "a"), (0, "b"), (1, "b"), (1, "a"), (2, "a"), (2, "b")]  # type: ignore[arg-type, comparison-overlap]


def test_a_worker_that_fails_is_quoted(faces: list[FaceSet], tmp_path: Path) -> None:
    model = Model("made", "", (sys.executable, "-c", "raise SystemExit('no such weights')"), tmp_path)
    with pytest.raises(FoalError, match="made ended with status 1: no such weights"):
        measure([model], faces, 1, lambda line: None)


@pytest.mark.slow
def test_every_peer_classifies_every_face(faces: list[FaceSet]) -> None:
    found = compare_all(faces, 1, lambda line: None)
    assert [each.model.name for each in found] == [
        "foal-nano",
        "foal-nano-int8",
        "foal-nano-seven",
        "face-api",
        "human",
        "fer",
        "facex",
    ]
    for each in found[2:]:
        assert each.answer is not None
        assert sorted(each.answer.labels) == sorted(SEVEN)
        assert [len(part) for part in each.answer.probs] == [2, 2]
        assert np.sum(each.answer.probs, axis=2) == pytest.approx(1, abs=1e-3)
        assert each.answer.weights_bytes > 90_000
