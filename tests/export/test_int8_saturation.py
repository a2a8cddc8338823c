"""Saturation played: numpy's sums of two, an emulated processor's own, and graphs of ours that it cannot befall."""

from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest
from onnxruntime.quantization import quantize_static

from edge.backends.onnxruntime import open_session
from edge.backends.proof import distance
from edge.bundle import golden
from edge.bundle import load as bundles
from edge.bundle.load import SHIPPED
from export import to_int8
from export.int8_saturation import can_saturate, emulate_int8
from export.lower_precision import EMULATORS, convert_graph
from tests.emulated import needs_emulation, run_without_vnni
from tests.export.conftest import Lowered
from tests.export.made_products import KINDS, MADE_STEP, make_product


def emulated(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[str]]:
    graph = onnx_ir.from_proto(model)
    names = emulate_int8(graph)
    made = onnx_ir.to_proto(graph)
    onnx.checker.check_model(made, full_check=True)
    return made, names


def assert_same(found: np.ndarray, expected: np.ndarray, kind: str) -> None:
    """Floats are rounded in another order; a convolution's output may round to the step beside."""
    apart = MADE_STEP if kind.startswith("Conv") else 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=apart)
    assert (np.abs(found - expected) > 1e-5 * np.abs(expected).max()).mean() < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_product_played_is_numpys_own_of_saturated_sums(kind: str) -> None:
    made = make_product(kind)
    model, names = emulated(made.model)
    assert names == ["product"]
    (found,) = open_session(model.SerializeToString()).run(None, {"x": made.x})
    assert_same(found, made.saturated, kind)
    assert np.abs(made.saturated - made.exact).max() > 0.1 * np.abs(made.exact).max()


@needs_emulation
def test_a_processor_without_vnni_saturates_as_played(tmp_path: Path) -> None:
    made = {kind: make_product(kind) for kind in KINDS}
    graphs = {kind: (product.model.SerializeToString(), {"x": product.x}) for kind, product in made.items()}
    for kind, found in run_without_vnni(graphs, tmp_path).items():
        assert_same(found, made[kind].saturated, kind)


def test_a_convolution_by_channel_has_another_kernel() -> None:
    made = make_product("Conv of one channel").model
    (weights,) = [tensor for tensor in made.graph.initializer if tensor.name == "w"]
    (node,) = [node for node in made.graph.node if node.name == "product"]
    node.attribute.append(onnx.helper.make_attribute("group", weights.dims[0]))
    assert emulate_int8(onnx_ir.from_proto(made)) == []


@pytest.mark.parametrize(
    ("first", "second", "passes"),
    [
        (64, 64, False),
        (65, 64, True),
        (-64, -64, False),
        (-65, -64, True),
        (127, 1, False),
        (127, 2, True),
        (127, -127, False),
        (-127, 0, False),
    ],
)
def test_two_weights_can_saturate_where_some_activations_make_them(first: int, second: int, passes: bool) -> None:
    weights = np.array([[first], [second]], np.int8)
    assert can_saturate(weights) is passes
    sums = [first * left + second * right for left, right in product(range(256), repeat=2)]
    assert (max(sums) > 2**15 - 1 or min(sums) < -(2**15)) is passes


def test_only_neighbours_are_added_in_16_bits() -> None:
    assert not can_saturate(np.array([[127], [0], [127], [0], [127]], np.int8))
    assert can_saturate(np.array([[0], [0], [127], [127], [127]], np.int8))


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_an_exported_graph_never_saturates(lowered: Lowered, name: str) -> None:
    path = lowered("int8").folder / f"{name}.onnx"
    weights = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    ]
    assert weights
    assert max(np.abs(array.astype(int)).max() for array in weights) == 64
    assert emulate_int8(onnx_ir.load(path)) == []


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_what_the_shipped_graph_loses_with_weights_of_8_bits_is_seen(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its int8 was exported before: on golden vectors several times as far from torch as with 7 bits."""
    shipped = bundles.load(SHIPPED)
    entry, vectors = shipped.manifest.graphs.by_name()[name], golden.load(shipped)[name]
    given = [{tensor.name: vectors[tensor.name] for tensor in entry.inputs}]

    def worst(bits: int) -> float:
        folder = tmp_path / str(bits)
        (folder / "out").mkdir(parents=True)
        copied = folder / entry.file.path
        copied.write_bytes(shipped.path(entry.file).read_bytes())
        monkeypatch.setattr(to_int8, "quantize_static", partial(quantize, reduced=bits == 7))
        made = convert_graph(copied, folder / "out", entry, "int8", given)
        model = onnx_ir.load(folder / "out" / made.file.path)
        EMULATORS["int8"](model)
        session = open_session(onnx_ir.to_proto(model).SerializeToString())
        found = dict(zip((t.name for t in entry.outputs), session.run(None, given[0]), strict=True))
        return max(distance(t.name, found, vectors[t.name]) for t in entry.outputs)

    assert worst(8) > 2 * worst(7)


def quantize(*arguments: object, reduced: bool, **options: object) -> None:
    quantize_static(*arguments, **{**options, "reduce_range": reduced})
