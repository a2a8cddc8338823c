"""fp16 played on the CPU: numpy's rounding, its overflow, and what stays fp32 not rounded."""

import numpy as np
import onnx
import onnx_ir
import onnxruntime as ort
import pytest

from export.fp16_rounding import emulate_fp16
from export.to_fp16 import nodes_kept_fp32, to_fp16
from tests.export.conftest import Lowered
from tests.export.test_to_fp16 import parse

CHAIN = """
<ir_version: 8, opset_import: ["" : 18]>
chain (float[1, 2] x) => (float[1, 2] y, float[1, 1] total)
<float[2, 2] w = {1, 0.1, 1, 3}, float[2] b = {0.1, 0.3}, int64[1] axis = {1}>
{
    [product] p = MatMul (x, w)
    [bias] y = Add (p, b)
    [sum] total = ReduceSum (x, axis)
}
"""


def emulated(text: str) -> onnx.ModelProto:
    model = onnx_ir.from_proto(parse(text))
    to_fp16(model, nodes_kept_fp32(model.graph, {}))
    emulate_fp16(model)
    return onnx_ir.to_proto(model)


@pytest.mark.parametrize("x", [(1.0, 2.0), (2048.0, 1.0), (0.3333, 1e-5), (60_000.0, 60_000.0)])
def test_every_number_is_rounded_where_it_arises(x: tuple[float, float]) -> None:
    """Products of a row of two are summed in fp32 and rounded once, as matrix units do."""
    half, single = np.float16, np.float32
    given = np.array([x], single)
    with np.errstate(over="ignore"):
        product = (given.astype(half).astype(single) @ np.array([[1, 0.1], [1, 3]], half).astype(single)).astype(half)
        expected = (product + np.array([0.1, 0.3], half)).astype(half)
    session = ort.InferenceSession(emulated(CHAIN).SerializeToString(), providers=["CPUExecutionProvider"])
    found, total = session.run(None, {"x": given})
    np.testing.assert_array_equal(found, expected.astype(single))
    assert total == given.sum()


def test_the_runtime_itself_rounds_nothing() -> None:
    """Why this is there; once it does, this can go."""
    model = onnx_ir.from_proto(parse(CHAIN))
    to_fp16(model, nodes_kept_fp32(model.graph, {}))
    text = onnx_ir.to_proto(model).SerializeToString()
    session = ort.InferenceSession(text, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": np.array([[2048, 1]], np.float32)})[0][0, 0] > 2048


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_only_casts_make_fp16(lowered: Lowered, name: str) -> None:
    model = onnx_ir.load(lowered("fp16").folder / f"{name}.onnx")
    emulate_fp16(model)
    onnx.checker.check_model(onnx_ir.to_proto(model), full_check=True)
    halves = [value for node in model.graph for value in node.outputs if value.dtype == onnx_ir.DataType.FLOAT16]
    assert halves
    makers = {value.producer().op_type for value in halves}
    takers = {node.op_type for value in halves for node in value.consumers()}
    assert (makers, takers) == ({"Cast"}, {"Cast"})
