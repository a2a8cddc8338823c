"""fp16 graphs: strongly typed, what fp16 cannot hold in fp32, and no cast that is not needed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import onnxruntime as ort
import pytest
from onnx import TensorProto, numpy_helper, parser, shape_inference

from export.fp16_rounding import emulate_fp16
from export.tensor_ranges import MagnitudeRange
from export.to_fp16 import nodes_kept_fp32, to_fp16
from tests.export.conftest import Exported, Lowered

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16}
ATTENTION = """
<ir_version: 8, opset_import: ["" : 18]>
attention (float[batch, 3, 4] x, bool[batch, 3] mask) => (float[batch, 3, 4] y)
<float[4, 4] w = {1, 0, 0, 0,  0, 1, 0, 0,  0, 0, 1, 0,  0, 0, 0, 1}, float[4] b = {0.5, 0.25, 0, 1},
 float[4] scale = {1, 1, 1, 1}, float hidden = {-inf}, int64[1] axis = {1}>
{
    [first] q = MatMul (x, w)
    [bias] k = Add (q, b)
    [turn] kt = Transpose <perm = [0, 2, 1]> (k)
    [scores] s = MatMul (q, kt)
    [widen] wide = Unsqueeze (mask, axis)
    [not] absent = Not (wide)
    [fill] filled = Where (absent, hidden, s)
    [soft] p = Softmax <axis = -1> (filled)
    [mix] mixed = MatMul (p, k)
    [rest] r = Add (mixed, k)
    [norm] n = LayerNormalization <axis = -1> (r, scale, b)
    [gate] g = Sigmoid (n)
    [shut] gated = Mul (n, g)
    [last] y = MatMul (gated, w)
}
"""
LOG_MEL = """
<ir_version: 8, opset_import: ["" : 18]>
mel (float[batch, 1, 32] x) => (float[batch, 2, 8] y)
<float[2, 1, 4] fourier = {1, 1, 1, 1,  1, -1, 1, -1}, float floor = {1e-10}, float[2, 2, 1] w = {1, 0, 0, 1}>
{
    [transform] f = Conv <strides = [4]> (x, fourier)
    [power] p = Mul (f, f)
    [bound] bounded = Max (p, floor)
    [log] l = Log (bounded)
    [stem] y = Conv (l, w)
}
"""
COUNTS = """
<ir_version: 8, opset_import: ["" : 18]>
counts (int64[batch] length) => (int64[batch] tokens)
<float five = {5}>
{
    [number] n = Cast <to = 1> (length)
    [share] s = Div (n, five)
    [whole] f = Floor (s)
    [count] tokens = Cast <to = 7> (f)
}
"""
UNIT = """
<ir_version: 8, opset_import: ["" : 18]>
unit (float[batch, 2] x) => (float[batch, 2] y)
<float[2, 2] w = {1, 0, 0, 1}, int64[1] axis = {-1}, float least = {1e-12}>
{
    [product] p = MatMul (x, w)
    [length] l = ReduceL2 <keepdims = 1> (p, axis)
    [bound] bounded = Clip (l, least)
    [divide] y = Div (p, bounded)
}
"""
MASKED = """
<ir_version: 8, opset_import: ["" : 18]>
masked (float[batch, 2] x, bool[batch, 2] mask) => (float[batch, 2] y)
<float[2, 2] w = {1, 0, 0, 1}>
{
    [early] m = Cast <to = 1> (mask)
    [before] z = Mul (x, m)
    [product] p = MatMul (z, w)
    [late] n = Cast <to = 1> (mask)
    [after] q = Mul (p, n)
    [again] y = MatMul (q, w)
}
"""


def parse(text: str) -> onnx.ModelProto:
    """A model of the text, with its types; -inf, which the syntax lacks, is written as the lowest float."""
    model = parser.parse_model(text.replace("-inf", "-3.4028235e38"))
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            numbers = numpy_helper.to_array(tensor)
            infinite = np.where(numbers < -3.4e38, np.float32(-np.inf), numbers)
            tensor.CopyFrom(numpy_helper.from_array(infinite, tensor.name))
    return shape_inference.infer_shapes(model, strict_mode=True)


def converted(text: str, found: dict[str, MagnitudeRange] | None = None) -> tuple[onnx.ModelProto, list[str]]:
    model = onnx_ir.from_proto(parse(text))
    kept = to_fp16(model, nodes_kept_fp32(model.graph, found or {}))
    return onnx_ir.to_proto(model), kept


def run(model: onnx.ModelProto, **inputs: np.ndarray) -> list[np.ndarray]:
    """As a GPU would: ONNX Runtime by itself rounds nothing."""
    wide = onnx_ir.from_proto(model)
    emulate_fp16(wide)
    model = onnx_ir.to_proto(wide)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def types(model: onnx.ModelProto) -> dict[str, int]:
    """Of every tensor, inferred anew from inputs and weights alone."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    graph = shape_inference.infer_shapes(bare, check_type=True, strict_mode=True).graph
    values = [*graph.input, *graph.output, *graph.value_info]
    return {value.name: value.type.tensor_type.elem_type for value in values} | {
        tensor.name: tensor.data_type for tensor in graph.initializer
    }


def check_strongly_typed(model: onnx.ModelProto) -> None:
    """No operator but Cast takes or makes two kinds of floats."""
    onnx.checker.check_model(model, full_check=True)
    known = types(model)
    for node in model.graph.node:
        kinds = {known[name] for name in (*node.input, *node.output) if name and known[name] in FLOATS}
        assert node.op_type == "Cast" or len(kinds) <= 1, (node.name, kinds)


def check_casts(model: onnx.ModelProto) -> None:
    """No cast of a cast, none twice, none to what is there already, and none of weights."""
    known, weights = types(model), {tensor.name for tensor in model.graph.initializer}
    casts = [node for node in model.graph.node if node.op_type == "Cast" and known[node.input[0]] in FLOATS]
    made = {node.output[0] for node in casts}
    assert not [node.name for node in casts if node.input[0] in made | weights]
    assert not [node.name for node in casts if known[node.input[0]] == known[node.output[0]]]
    pairs = [(node.input[0], known[node.output[0]]) for node in casts]
    assert len(pairs) == len(set(pairs))


def in_fp32(model: onnx.ModelProto, operators: Sequence[str]) -> set[str]:
    """The names of the nodes of some operators that take or make fp32."""
    known = types(model)
    return {
        node.name
        for node in model.graph.node
        if node.op_type in operators and TensorProto.FLOAT in {known[name] for name in (*node.input, *node.output)}
    }


@pytest.mark.parametrize("text", [ATTENTION, LOG_MEL, COUNTS, UNIT, MASKED])
def test_every_operator_has_floats_of_one_kind_and_no_cast_is_idle(text: str) -> None:
    model, _ = converted(text)
    check_strongly_typed(model)
    check_casts(model)


@pytest.mark.parametrize("text", [ATTENTION, LOG_MEL, COUNTS, UNIT, MASKED])
def test_inputs_and_outputs_stay_as_they_are(text: str) -> None:
    before, after = parse(text).graph, converted(text)[0].graph
    assert [value.SerializeToString() for value in after.input] == [value.SerializeToString() for value in before.input]
    ends = [[(value.name, value.type.tensor_type.elem_type) for value in graph.output] for graph in (before, after)]
    assert ends[0] == ends[1]


def test_softmax_and_norm_stay_and_what_follows_them_until_the_next_product() -> None:
    model, kept = converted(ATTENTION)
    assert kept == ["soft", "norm", "gate", "shut"]
    casts = [node for node in model.graph.node if node.op_type == "Cast"]
    ends = {"x", "filled", "p", "r", "gated", "y_fp16"}
    assert {node.input[0] for node in casts} == ends
    assert len(casts) == len(ends)


def test_weights_are_stored_in_their_operators_precision_alone() -> None:
    tensors = {tensor.name: tensor.data_type for tensor in converted(ATTENTION)[0].graph.initializer}
    assert {name: kind for name, kind in tensors.items() if kind in FLOATS} == {
        "w_fp16": TensorProto.FLOAT16,
        "hidden_fp16": TensorProto.FLOAT16,
        "b_fp16": TensorProto.FLOAT16,
        "b": TensorProto.FLOAT,
        "scale": TensorProto.FLOAT,
    }


def test_it_computes_what_fp16_computes() -> None:
    """Of sums past 2048 fp16 loses the last bit: numpy's does, and fp32 does not."""
    text = """
    <ir_version: 8, opset_import: ["" : 18]>
    sum (float[1, 2] x) => (float[1, 1] y) <float[2, 1] w = {1, 1}> { [sum] y = MatMul (x, w) }
    """
    x = np.array([[2048, 1.0]], np.float32)
    half = (x.astype(np.float16) @ np.ones((2, 1), np.float16)).astype(np.float32)
    assert run(parse(text), x=x)[0] == 2049
    assert run(converted(text)[0], x=x)[0] == half == 2048


def test_attention_differs_by_fp16s_rounding_alone() -> None:
    generator = np.random.default_rng(0)
    inputs = {"x": generator.normal(size=(2, 3, 4)).astype(np.float32), "mask": np.array([[1, 1, 0], [1, 0, 0]], bool)}
    (found,), (expected,) = run(converted(ATTENTION)[0], **inputs), run(parse(ATTENTION), **inputs)
    np.testing.assert_allclose(found, expected, atol=2e-2)
    assert np.abs(found - expected).max() > 0


def test_all_that_leads_to_a_logarithm_stays() -> None:
    model, kept = converted(LOG_MEL)
    assert kept == ["transform", "power", "bound", "log"]
    assert in_fp32(model, ["Conv"]) == {"transform"}
    quiet = np.full((1, 1, 32), 1e-4, np.float32)
    np.testing.assert_allclose(run(model, x=quiet)[0], run(parse(LOG_MEL), x=quiet)[0], rtol=1e-3)


def test_counts_stay_exact() -> None:
    model, kept = converted(COUNTS)
    assert kept == ["share", "whole"]
    length = np.arange(0, 96_001, 7)
    np.testing.assert_array_equal(run(model, length=length)[0], length // 5)


def test_a_norm_that_fp32_keeps_from_zero_divides_in_fp32() -> None:
    model, kept = converted(UNIT)
    assert kept == ["length", "bound", "divide"]
    found = run(model, x=np.array([[0, 0], [3, 4]], np.float32))[0]
    np.testing.assert_allclose(found, [[0, 0], [0.6, 0.8]], atol=1e-3)


def test_masks_become_what_their_takers_are() -> None:
    model, kept = converted(MASKED)
    casts = {node.name: node.attribute[0].i for node in model.graph.node if node.op_type == "Cast"}
    assert (casts["early"], casts["late"]) == (TensorProto.FLOAT, TensorProto.FLOAT16)
    assert kept == ["before"]


@pytest.mark.parametrize(
    ("tensor", "found", "kept"),
    [
        ("s", MagnitudeRange(30_000, 10), "scores fill soft norm gate shut"),
        ("s", MagnitudeRange(21_000, 10), "soft norm gate shut"),
        ("q", MagnitudeRange(30_000, 10), "first bias scores fill soft norm gate shut"),
        ("mixed", MagnitudeRange(1e-6, 1e-6), "soft mix rest norm gate shut"),
        ("mixed", MagnitudeRange(1.0, 1e-6), "soft mix rest norm gate shut"),
        ("mixed", MagnitudeRange(1.0, 0.0), "soft norm gate shut"),
        ("w", MagnitudeRange(30_000, 30_000), "first bias soft norm gate shut last"),
        ("b", MagnitudeRange(1e-9, 1e-9), "soft norm gate shut"),
        ("hidden", MagnitudeRange(0.0, 0.0), "soft norm gate shut"),
    ],
)
def test_what_is_too_large_or_too_faint_stays(tensor: str, found: MagnitudeRange, kept: str) -> None:
    """With all that is given nothing but fp32 then."""
    model, names = converted(ATTENTION, {tensor: found})
    assert names == kept.split()
    check_strongly_typed(model)
    check_casts(model)


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_an_exported_graph_is_strongly_typed_and_its_products_are_fp16(lowered: Lowered, name: str) -> None:
    folder = lowered("fp16").folder
    model = onnx.load(folder / f"{name}.onnx")
    check_strongly_typed(model)
    check_casts(model)
    assert not in_fp32(model, ["MatMul", "Gemm"])
    log_mel = {"audio_encoder": 2}.get(name, 0)
    assert len(in_fp32(model, ["Conv"])) == log_mel


def test_an_exported_file_is_about_half(lowered: Lowered, exported: Exported) -> None:
    before, after = ((folder / "fusion.onnx").stat().st_size for folder in (exported.folder, lowered("fp16").folder))
    weights = sum(numpy_helper.to_array(t).nbytes for t in onnx.load(exported.folder / "fusion.onnx").graph.initializer)
    assert before - after > 0.4 * weights


def test_the_graph_that_was_given_is_not_touched_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "graph.onnx"
    onnx.save(parse(ATTENTION), path)
    before = path.read_bytes()
    model = onnx_ir.load(path)
    to_fp16(model, nodes_kept_fp32(model.graph, {}))
    assert path.read_bytes() == before
