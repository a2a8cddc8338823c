"""int8 graphs: weights of products in 7 bits, a scale a channel; products of activations and the log-mel stay."""

import logging
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import onnxruntime as ort
import pytest
from onnx import TensorProto, numpy_helper, parser, shape_inference

from edge.bundle import load as bundles
from export.to_int8 import nodes_kept_fp32, quantise
from tests.export.conftest import Lowered
from tests.export.test_to_fp16 import ATTENTION, LOG_MEL, parse

PRODUCT = """
<ir_version: 8, opset_import: ["" : 18]>
product (float[batch, 4] x) => (float[batch, 2] y)
<float[4, 2] w = {0.5, 100, -1, 50, 0.25, 25, 1, -100}> { [product] y = MatMul (x, w) }
"""

CUT_OFF = """
<ir_version: 8, opset_import: ["" : 18]>
cut_off (float[batch, 1, 6, 6] x) => (float[batch, 1, 2, 2] y)
<float[1, 1, 3, 3] w = {0.5, -1, 0.25, 1, -0.5, 0.125, -0.25, 1, -1}> {
  [first] a = Conv (x, w)
  [cut] b = Relu (a)
  [second] y = Conv (b, w)
}
"""


def quantised(text: str, folder: Path, inputs: list[dict[str, np.ndarray]]) -> tuple[onnx.ModelProto, list[str]]:
    onnx.save(shape_inference.infer_shapes(parser.parse_model(text)), folder / "graph.onnx")
    kept = quantise(folder / "graph.onnx", folder / "int8.onnx", inputs)
    return onnx.load(folder / "int8.onnx"), kept


def test_a_product_is_what_integers_of_8_bits_make_of_it(tmp_path: Path) -> None:
    """Against numpy: weights in steps of their column's largest, activations in 255 steps between their extremes."""
    x = np.random.default_rng(0).uniform(-1, 3, (8, 4)).astype(np.float32)
    x[0, :2] = -1, 3
    model, kept = quantised(PRODUCT, tmp_path, [{"x": row[None]} for row in x])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    weights = numpy_helper.to_array(parser.parse_model(PRODUCT).graph.initializer[0])
    steps = np.abs(weights).max(axis=0) / 64
    step, zero = 4 / 255, round(255 / 4)
    found_x = (np.clip(np.round(x / step) + zero, 0, 255) - zero) * step
    expected = found_x @ (np.round(weights / steps) * steps)
    found = session.run(None, {"x": x})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert kept == []


def test_weights_have_7_bits_in_int8_and_a_scale_a_channel(tmp_path: Path) -> None:
    model, _ = quantised(PRODUCT, tmp_path, [{"x": np.ones((1, 4), np.float32)}])
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    integers = [tensor for tensor in tensors.values() if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 2]
    assert [list(tensor.dims) for tensor in integers] == [[4, 2]]
    (taker,) = [node for node in model.graph.node if integers[0].name in node.input]
    assert taker.op_type == "DequantizeLinear"
    assert np.abs(numpy_helper.to_array(integers[0]).astype(int)).max(axis=0).tolist() == [64, 64]
    scales = numpy_helper.to_array(tensors[taker.input[1]])
    np.testing.assert_allclose(scales, np.array([1, 100]) / 64, rtol=1e-2)


def test_what_cuts_off_below_zero_falls_away(tmp_path: Path) -> None:
    x = np.random.default_rng(1).uniform(-2, 2, (16, 1, 6, 6)).astype(np.float32)
    model, _ = quantised(CUT_OFF, tmp_path, [{"x": row[None]} for row in x])
    assert "Relu" not in [node.op_type for node in model.graph.node]
    found, expected = (
        ort.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
        for graph in (model.SerializeToString(), (tmp_path / "graph.onnx").read_bytes())
    )
    np.testing.assert_allclose(found, expected, atol=0.03 * np.abs(expected).max())  # a few steps of 1/64 and 1/255


def test_products_of_activations_and_what_leads_to_a_logarithm_stay() -> None:
    for text, names in ((ATTENTION, {"scores", "mix"}), (LOG_MEL, {"transform"})):
        assert {node.name for node in nodes_kept_fp32(onnx_ir.from_proto(parse(text)).graph)} == names


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_the_kept_products_of_an_exported_graph_are_listed_and_the_others_quantised(
    lowered: Lowered, name: str
) -> None:
    folder = lowered("int8").folder
    model = onnx.load(folder / f"{name}.onnx")
    makers = {output: node for node in model.graph.node for output in node.output}
    products = [node for node in model.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")]
    plain = [
        node.name
        for node in products
        if not all(makers[given].op_type == "DequantizeLinear" for given in node.input if given in makers)
    ]
    entry = bundles.load(folder).manifest.graphs.by_name()[name]
    assert sorted(plain) == sorted(entry.kept_fp32)
    assert len(plain) < len(products)
    assert entry.precision == "int8"


def test_other_loggers_speak_again_afterwards(tmp_path: Path) -> None:
    before = logging.root.level
    quantised(PRODUCT, tmp_path, [{"x": np.ones((1, 4), np.float32)}])
    assert logging.root.level == before
