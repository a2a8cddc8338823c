"""Weights read back from graphs that are written by hand; tests/train/test_origin.py reads the shipped ones."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from train.graph_weights import adding, named_tensors, read_weights


def write(path: Path, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> onnx.ModelProto:
    """A graph from `x` to `y`."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    model = helper.make_model(helper.make_graph(nodes, "made", [x], [y], tensors))
    onnx.save(model, path)
    return model


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("order", [("product", "layer.bias"), ("layer.bias", "product")])
def test_a_product_and_the_addition_of_a_bias_are_a_linear_layer(tmp_path: Path, order: tuple[str, str]) -> None:
    nodes = [helper.make_node("MatMul", ["x", "val_1"], ["product"]), helper.make_node("Add", list(order), ["y"])]
    constants = {"val_1": random(5, 3), "layer.bias": random(3)}
    write(tmp_path / "g.onnx", nodes, constants)
    layer = nn.Sequential()
    layer.add_module("layer", nn.Linear(5, 3))
    layer.load_state_dict(read_weights(tmp_path / "g.onnx", layer))
    x = random(2, 7, 5)
    expected = x @ constants["val_1"] + constants["layer.bias"]
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach().numpy(), expected, atol=1e-5)


def test_a_product_of_two_results_is_no_layer(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "x"], ["product"]), helper.make_node("Add", ["product", "a.bias"], ["y"])]
    model = write(tmp_path / "g.onnx", nodes, {"a.bias": random(3)})
    assert list(named_tensors(model)) == ["a.bias"]


def test_a_norm_that_was_folded_adds_the_bias_alone() -> None:
    norm, bias, x = nn.BatchNorm2d(4).eval(), torch.from_numpy(random(4)), torch.from_numpy(random(2, 4, 3, 3))
    norm.load_state_dict(adding(bias, norm))
    # The variance is 1 - eps, which with eps is 1 up to the rounding of float32.
    torch.testing.assert_close(norm(x), x + bias[:, None, None], atol=1e-6, rtol=1e-6)


def test_the_bias_of_a_convolution_is_that_of_the_norm_after_it(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1)).eval()
    constants = {"0.weight": random(4, 2, 3, 3), "0.weight_bias": random(4), "3.weight": random(1, 4, 1, 1)}
    write(tmp_path / "g.onnx", [helper.make_node("Identity", ["x"], ["y"])], constants)
    state = read_weights(tmp_path / "g.onnx", module)
    assert module.state_dict().keys() - state.keys() == {"3.bias"}
    module.load_state_dict(state, strict=False)
    x = torch.from_numpy(random(1, 2, 5, 5))
    weight, bias = (torch.from_numpy(constants[name]) for name in ("0.weight", "0.weight_bias"))
    torch.testing.assert_close(module[:2](x), nn.functional.conv2d(x, weight, bias), atol=1e-5, rtol=1e-5)
