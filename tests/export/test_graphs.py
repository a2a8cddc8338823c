"""The ONNX files: one operator a LayerNorm, the cast first, a batch that varies, and torch's own numbers."""

import onnx
import onnxruntime as ort
import pytest
import torch
from torch import Tensor

from edge.bundle.load import SHIPPED
from export.graphs import OPSET, Graph
from tests.export.conftest import Exported
from train.checkpoint import Checkpoint
from train.encoders.log_mel import OVERLAP_SAMPLES
from train.encoders.nano_pieces import ContextFusion

NAMES = ["image_encoder", "audio_encoder", "fusion"]
LAYER_NORMS = {"image_encoder": 0, "audio_encoder": 0, "fusion": 2 * 2 + 1 + 2 * 2 + 2}
"""Those of the audio encoder's transformer layers are in the fusion, as it takes pieces."""


@pytest.fixture(scope="module")
def models(exported: Exported) -> dict[str, onnx.ModelProto]:
    return {name: onnx.load(exported.folder / f"{name}.onnx") for name in NAMES}


def fresh_inputs(graph: Graph, batch: int) -> dict[str, Tensor]:
    """Other inputs than the golden ones, of any batch."""
    generator = torch.Generator().manual_seed(batch)
    made: dict[str, Tensor] = {}
    for name, example in graph.inputs.items():
        shape = (batch, *example.shape[1:])
        if example.dtype == torch.uint8:
            made[name] = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
        elif example.dtype == torch.int64:
            made[name] = torch.linspace(0, graph.inputs["waveform"].shape[1], batch).round().long()
        elif example.dtype == torch.bool:
            made[name] = torch.rand(shape, generator=generator) < torch.linspace(0, 1, batch)[:, None]
        else:
            made[name] = torch.randn(shape, generator=generator) / 4
    if "known" in made:
        made["known"] = torch.arange(batch) % (made["before"].shape[1] + 1)
        made["waveform"] *= torch.arange(made["waveform"].shape[1]) < made["end"][:, None] + OVERLAP_SAMPLES
    return made


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_norm_is_one_operator(models: dict[str, onnx.ModelProto], name: str) -> None:
    operators = [node.op_type for node in models[name].graph.node]
    assert operators.count("LayerNormalization") == LAYER_NORMS[name]
    assert not models[name].functions


@pytest.mark.parametrize("name", NAMES)
def test_the_opset_has_the_layer_norm(models: dict[str, onnx.ModelProto], name: str) -> None:
    assert {opset.domain: opset.version for opset in models[name].opset_import} == {"": OPSET}
    assert OPSET >= 17


def test_the_pixels_go_into_a_cast_and_nowhere_else(models: dict[str, onnx.ModelProto]) -> None:
    consumers = [node.op_type for node in models["image_encoder"].graph.node if "frames" in node.input]
    assert consumers == ["Cast"]


@pytest.mark.parametrize("name", NAMES)
def test_only_the_batch_varies(models: dict[str, onnx.ModelProto], graphs: dict[str, Graph], name: str) -> None:
    graph = models[name].graph
    tensors = {**graphs[name].inputs, **graphs[name].expected}
    assert [value.name for value in (*graph.input, *graph.output)] == list(tensors)
    for value in (*graph.input, *graph.output):
        batch, *rest = value.type.tensor_type.shape.dim
        assert batch.dim_param, value.name
        assert [size.dim_value for size in rest] == list(tensors[value.name].shape[1:]), value.name


@pytest.mark.parametrize("name", NAMES)
def test_the_file_holds_its_own_weights(models: dict[str, onnx.ModelProto], name: str) -> None:
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in models[name].graph.initializer)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("name", NAMES)
def test_onnx_runtime_computes_what_torch_computes(
    exported: Exported, graphs: dict[str, Graph], name: str, batch: int
) -> None:
    graph = graphs[name]
    inputs = fresh_inputs(graph, batch)
    session = ort.InferenceSession(exported.folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    found = session.run(graph.outputs, {key: tensor.numpy() for key, tensor in inputs.items()})
    expected = Graph(name, graph.module, inputs, graph.outputs).expected
    for array, reference in zip(found, expected.values(), strict=True):
        torch.testing.assert_close(torch.from_numpy(array), reference, atol=1e-4, rtol=0)


@pytest.mark.parametrize("level", [0.0, 1e-7, 1e-4])
def test_silence_and_near_silence_are_computed_as_by_torch(
    exported: Exported, graphs: dict[str, Graph], level: float
) -> None:
    graph = graphs["audio_encoder"]
    waveform = level * torch.randn(2, graph.inputs["waveform"].shape[1], generator=torch.Generator().manual_seed(0))
    waveform[1, 4000:] = 0
    inputs = {**graph.inputs, "waveform": waveform, "end": torch.tensor([waveform.shape[1], 4000])}
    inputs |= {"before": inputs["before"][:2], "known": inputs["known"][:2]}
    session = ort.InferenceSession(exported.folder / "audio_encoder.onnx", providers=["CPUExecutionProvider"])
    tokens, *_ = session.run(graph.outputs, {key: tensor.numpy() for key, tensor in inputs.items()})
    expected = Graph(graph.name, graph.module, inputs, graph.outputs).expected["tokens"]
    torch.testing.assert_close(torch.from_numpy(tokens), expected, atol=1e-3, rtol=0)


def test_the_examples_of_the_fusion_have_whole_short_and_missing_modalities(graphs: dict[str, Graph]) -> None:
    masks = [graphs["fusion"].inputs[name].float().mean(dim=1) for name in ("audio_mask", "video_mask")]
    assert masks[0].tolist() == [1.0, 0.0, 0.5]
    frames = graphs["fusion"].inputs["video_mask"].shape[1]
    torch.testing.assert_close(masks[1], torch.tensor([4.0, 4.0, 0.0]) / frames)


@torch.no_grad()
def test_the_fusion_graph_is_the_models_fusion(loaded: Checkpoint, graphs: dict[str, Graph]) -> None:
    inputs = graphs["fusion"].inputs
    module = ContextFusion(loaded.model.audio_encoder, loaded.model.fusion).eval()
    for found, expected in zip(graphs["fusion"].expected.values(), module(*inputs.values()), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["exported", "shipped"])
def test_a_file_names_no_folder_of_the_machine_that_made_it(exported: Exported, folder: str, name: str) -> None:
    path = (exported.folder if folder == "exported" else SHIPPED) / f"{name}.onnx"
    model = onnx.load(path)
    assert not [node.name for node in model.graph.node if node.metadata_props]
    assert b".py" not in path.read_bytes()
