"""Ranges against numpy's own run of the graph: finite magnitudes, over all inputs, and nothing left on disk."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser
from onnx.reference import ReferenceEvaluator

from export.tensor_ranges import MagnitudeRange, extend, tensor_ranges
from tests.export.conftest import Exported

TEXT = """
<ir_version: 8, opset_import: ["" : 18]>
graph (float[batch, 2] x, int64[batch] n) => (float[batch, 2] y, int64[batch] m)
<float[2] w = {-3, 0.5}, float zero = {0}>
{
    scaled = Mul (x, w)
    quotient = Div (scaled, zero)
    y = Add (scaled, w)
    m = Add (n, n)
}
"""
N = np.array([1])


def test_magnitudes_are_over_all_inputs_and_finite(tmp_path: Path) -> None:
    path = tmp_path / "graph.onnx"
    onnx.save(onnx.shape_inference.infer_shapes(parser.parse_model(TEXT)), path)
    rows = [[[1.0, 100.0]], [[-40.0, 2.0]], [[0.0, 0.0]], [[0.001, 0.002]]]
    found = tensor_ranges(path, [{"x": np.array(row, np.float32), "n": N} for row in rows])
    assert found.keys() == {"x", "w", "zero", "scaled", "quotient", "y"}
    assert found["x"] == pytest.approx(MagnitudeRange(100, 0.002))
    assert found["scaled"] == pytest.approx(MagnitudeRange(120, 0.003))
    assert found["y"] == pytest.approx(MagnitudeRange(117, 3.0))
    assert found["w"] == MagnitudeRange(3, 3)
    # Infinities, and what is no number.
    assert found["quotient"] == found["zero"] == MagnitudeRange(0, 0)
    assert [file.name for file in tmp_path.iterdir()] == ["graph.onnx"]


def test_nothing_is_left_on_disk_where_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "graph.onnx"
    onnx.save(onnx.shape_inference.infer_shapes(parser.parse_model(TEXT)), path)
    with pytest.raises(ValueError, match="n"):
        tensor_ranges(path, [{"x": np.zeros((1, 2), np.float32)}])
    assert [file.name for file in tmp_path.iterdir()] == ["graph.onnx"]


@pytest.mark.parametrize(
    ("known", "magnitude", "wide"),
    [
        (MagnitudeRange(0, 0), 2, MagnitudeRange(2, 2)),
        (MagnitudeRange(2, 2), 3, MagnitudeRange(3, 2)),
        (MagnitudeRange(3, 2), 0, MagnitudeRange(3, 2)),
        (MagnitudeRange(3, 2), 1, MagnitudeRange(3, 1)),
        (MagnitudeRange(0, 0), 0, MagnitudeRange(0, 0)),
    ],
)
def test_zeros_are_not_faint(known: MagnitudeRange, magnitude: float, wide: MagnitudeRange) -> None:
    assert extend(known, magnitude) == wide


def test_an_exported_graph_has_the_ranges_that_numpy_finds(exported: Exported) -> None:
    path = exported.folder / "fusion.onnx"
    model = onnx.load(path)
    with np.load(exported.folder / "golden.npz", allow_pickle=False) as golden:
        inputs = {value.name: golden[f"fusion/{value.name}"] for value in model.graph.input}
    found = tensor_ranges(path, [inputs])
    names = [name for node in model.graph.node for name in node.output if name in found]
    assert len(names) > 100
    reference = ReferenceEvaluator(model)
    computed = reference.run(None, inputs, intermediate=True)
    for name in names:
        magnitudes = np.abs(computed[name])
        largest = magnitudes.max(initial=0, where=np.isfinite(magnitudes))
        assert found[name].largest == pytest.approx(largest, rel=1e-3, abs=1e-5), name
