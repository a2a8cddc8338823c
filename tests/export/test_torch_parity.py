"""A graph that does not compute what torch computes is refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from edge.errors import FoalError
from export.graphs import Graph
from export.torch_parity import TOLERANCE, largest_difference
from tests.export.conftest import Exported

GRAPH = Graph("identity", nn.Identity(), {"x": torch.tensor([[0.5, 1.0], [2.0, -3.0], [0.0, 0.25]])}, ["y"])


def write(path: Path, offset: np.ndarray) -> Path:
    """An ONNX file that adds `offset` to its input."""
    node = helper.make_node("Add", ["x", "offset"], ["y"])
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in "xy")
    weights = onnx.numpy_helper.from_array(offset.astype(np.float32), "offset")
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(helper.make_graph([node], "g", [x], [y], [weights]), opset_imports=opset, ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("offset", [0.0, 0.5 * TOLERANCE, -0.9 * TOLERANCE])
def test_the_largest_difference_is_measured(tmp_path: Path, offset: float) -> None:
    path = write(tmp_path / "g.onnx", np.array([0.0, offset]))
    assert largest_difference(GRAPH, path) == pytest.approx(abs(offset), abs=3e-7)


@pytest.mark.parametrize("offset", [1.1 * TOLERANCE, -0.5, np.inf, np.nan])
def test_a_graph_that_differs_is_refused_by_name(tmp_path: Path, offset: float) -> None:
    path = write(tmp_path / "g.onnx", np.array([offset, 0.0]))
    with pytest.raises(FoalError, match="identity: ONNX differs from torch by"):
        largest_difference(GRAPH, path)


def test_a_batch_of_one_is_compared_too(tmp_path: Path) -> None:
    """This graph adds how far the batch's mean is from the known one: nothing, unless rows are missing."""
    node = helper.make_node("Add", ["x", "spread"], ["y"])
    mean = helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=1)
    spread = helper.make_node("Sub", ["mean", "known"], ["spread"])
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in "xy")
    known = onnx.numpy_helper.from_array(GRAPH.inputs["x"].mean(dim=(0, 1), keepdim=True).numpy(), "known")
    graph = helper.make_graph([mean, spread, node], "g", [x], [y], [known])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), tmp_path / "g.onnx")
    with pytest.raises(FoalError, match="identity"):
        largest_difference(GRAPH, tmp_path / "g.onnx")


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_an_exported_graph_is_torchs_own(exported: Exported, graphs: dict[str, Graph], name: str) -> None:
    assert largest_difference(graphs[name], exported.folder / f"{name}.onnx") <= TOLERANCE
    assert f"{name}: " in exported.output


def test_the_graph_of_other_weights_is_refused(exported: Exported, graphs: dict[str, Graph]) -> None:
    class Shifted(nn.Module):
        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return graphs["image_encoder"].module(frames) + 1e-3

    other = Graph("image_encoder", Shifted(), graphs["image_encoder"].inputs, ["embedding"])
    with pytest.raises(FoalError, match="image_encoder: ONNX differs from torch by 1"):
        largest_difference(other, exported.folder / "image_encoder.onnx")
