"""ONNX Runtime on the shipped bundle: its golden vectors, its batches, and graphs that are not what they should be."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.backends.onnxruntime import (
    ROWS_AT_ONCE,
    SMALL_GRAPH_BYTES,
    OrtBackend,
    default_threads,
    exact_options,
    open_session,
    ort,
    processor,
    session_options,
    sizes,
)
from edge.bundle.load import SHIPPED, load, sha256
from edge.errors import BundleError

GRAPHS = ("image_encoder", "audio_encoder", "fusion")
TOKENS = load(SHIPPED).manifest.graphs.fusion.inputs[0].shape[1:]


@pytest.fixture
def golden() -> dict[str, np.ndarray]:
    with np.load(SHIPPED / "golden.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "copied"))


def entry_of(folder: Path, graph: str, change: Any) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    change(document["graphs"][graph])
    (folder / "manifest.json").write_text(json.dumps(document))


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_golden_outputs_come_out(shipped, golden, graph: str) -> None:
    entry = getattr(shipped.manifest.graphs, graph)
    outputs = getattr(shipped.backend, graph)({t.name: golden[f"{graph}/{t.name}"] for t in entry.inputs})
    assert list(outputs) == [tensor.name for tensor in entry.outputs]
    for tensor in entry.outputs:
        expected, found = golden[f"{graph}/{tensor.name}"], outputs[tensor.name]
        assert found.dtype == expected.dtype == tensor.dtype
        difference = np.abs(found.astype(float) - expected.astype(float)).max()
        assert difference <= entry.tolerance


@pytest.mark.parametrize("graph", GRAPHS)
def test_golden_rows_do_not_depend_on_their_batch(shipped, golden, graph: str) -> None:
    entry = getattr(shipped.manifest.graphs, graph)
    inputs = {t.name: golden[f"{graph}/{t.name}"][-1:] for t in entry.inputs}
    outputs = getattr(shipped.backend, graph)(inputs)
    for name, found in outputs.items():
        expected = golden[f"{graph}/{name}"][-1:]
        np.testing.assert_allclose(found, expected, atol=entry.tolerance)


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("rows", [0, 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 2 * ROWS_AT_ONCE + 3])
def test_a_few_rows_are_computed_together_and_all_come_out(shipped, golden, graph: str, rows: int) -> None:
    """Each row of the whole batch is compared with its golden one; what a run keeps in memory grows with its rows."""
    if rows == 0 and graph == "audio_encoder" and ort.__version__.startswith("1.21."):
        pytest.skip("ONNX Runtime 1.21 does not multiply matrices of no rows; the runtime gives it none")
    entry, run = getattr(shipped.manifest.graphs, graph), getattr(OrtBackend(load(SHIPPED), threads=1), graph)
    session, sizes_run = run._session, []

    class Watched:
        def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            sizes_run.append({len(array) for array in inputs.values()})
            return list(session.run(names, inputs))

    run._session = Watched()
    taken = np.arange(rows) % len(golden[f"{graph}/{entry.inputs[0].name}"])
    outputs = run({tensor.name: golden[f"{graph}/{tensor.name}"][taken] for tensor in entry.inputs})
    whole, rest = divmod(rows, ROWS_AT_ONCE)
    assert sizes_run == [{ROWS_AT_ONCE}] * whole + [{rest}] * (rest > 0 or rows == 0)
    for tensor in entry.outputs:
        expected = golden[f"{graph}/{tensor.name}"][taken]
        np.testing.assert_allclose(outputs[tensor.name], expected, rtol=0, atol=entry.tolerance)


@pytest.mark.parametrize("graph", GRAPHS)
def test_no_time_is_spent_on_a_device(shipped, golden, graph: str) -> None:
    run = getattr(shipped.backend, graph)
    run({t.name: golden[f"{graph}/{t.name}"] for t in getattr(shipped.manifest.graphs, graph).inputs})
    assert run.device_ms is None


@pytest.mark.parametrize("length", [0, 1, 320, 1280])
def test_sound_of_any_length_gives_finite_tokens(shipped, length: int) -> None:
    waveform, spec = np.zeros((1, shipped.manifest.piece_samples), np.float32), shipped.manifest.pieces
    waveform[0, :length] = 0.1
    inputs = {"waveform": waveform, "end": np.array([length]), "known": np.zeros(1, int)}
    before = np.zeros((1, spec.frames.before, spec.frames.width), np.float32)
    heard = shipped.backend.audio_encoder({**inputs, "before": before})
    assert np.isfinite(heard["tokens"]).all()
    assert np.isfinite(heard["voice"]).all()


@pytest.mark.parametrize(
    ("graph", "side", "change"),
    [
        ("image_encoder", "inputs", {"name": "pictures"}),
        ("audio_encoder", "inputs", {"dtype": "uint8"}),
        ("fusion", "outputs", {"dtype": "bool"}),
        ("image_encoder", "outputs", {"name": "pictures"}),
        ("fusion", "inputs", {"shape": [1, *TOKENS]}),
    ],
)
def test_tensors_other_than_the_manifests_are_named(copied: Path, graph: str, side: str, change: dict) -> None:
    entry_of(copied, graph, lambda entry: entry[side][0].update(change))
    with pytest.raises(BundleError) as refused:
        OrtBackend(load(copied), threads=1)
    message = str(refused.value)
    assert message.startswith(f"{copied / graph}.onnx has {side} ")
    assert str(next(iter(change.values()))).replace("batch", "*") in message
    assert message.endswith("export the checkpoint again")


def test_a_file_that_is_no_graph_is_named(copied: Path) -> None:
    (copied / "fusion.onnx").write_bytes(b":\0")  # a model whose graph is empty
    digest = sha256(copied / "fusion.onnx")
    entry_of(copied, "fusion", lambda entry: entry["file"].update(sha256=digest))
    with pytest.raises(BundleError) as refused:
        OrtBackend(load(copied), threads=1)
    assert str(refused.value).startswith(f"{copied / 'fusion.onnx'} does not load in ONNX Runtime ")


def test_a_small_graph_is_computed_by_one_core_unless_more_are_asked_for() -> None:
    assert default_threads(SMALL_GRAPH_BYTES - 1) == 1
    assert default_threads(SMALL_GRAPH_BYTES) == os.cpu_count()


@pytest.mark.parametrize(
    ("options", "threads"), [({}, 1), ({"threads": 2}, 2), ({"tuned": False}, os.cpu_count())], ids=str
)
def test_the_number_of_threads_is_told(copied: Path, options: dict[str, Any], threads: int) -> None:
    backend = OrtBackend(load(copied), **options)
    assert backend.about == f"{processor()}, {threads} thread{'' if threads == 1 else 's'}"


def test_names_of_varying_dimensions_do_not_matter() -> None:
    assert sizes(["batch", 3, None]) == ["*", 3, "*"]


def weights_alone(steps: np.ndarray, **attributes: int) -> tuple[onnx.ModelProto, np.ndarray]:
    """A product by int8 weights that are dequantised, and those weights."""
    integers = np.random.default_rng(0).integers(-127, 128, (160, 64)).astype(np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["integers", "steps"], ["weights"], **attributes),
        helper.make_node("MatMul", ["x", "weights"], ["y"]),
    ]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 160])]
    made = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 64])]
    tensors = [numpy_helper.from_array(integers, "integers"), numpy_helper.from_array(steps, "steps")]
    graph = helper.make_graph(nodes, "weights alone", given, made, tensors)
    repeated = steps.repeat(attributes["block_size"], axis=0) if "block_size" in attributes else steps
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), integers * repeated


@pytest.mark.parametrize(
    ("shape", "attributes"), [((), {}), ((64,), {"axis": 1}), ((5, 64), {"axis": 0, "block_size": 32})]
)
@pytest.mark.parametrize("options", [exact_options, lambda: session_options(1), lambda: None])
def test_a_product_of_quantised_weights_alone_is_computed_in_floats(
    options: Any, shape: tuple[int, ...], attributes: dict[str, int]
) -> None:
    """ONNX Runtime's own default rounds `x` to 8 bits too: it is 0.3 to 0.8 % of the largest off."""
    steps = np.random.default_rng(1).uniform(0.001, 0.01, shape).astype(np.float32)
    model, weights = weights_alone(np.asarray(steps), **attributes)
    x = np.random.default_rng(2).normal(size=(5, 160)).astype(np.float32)
    (found,) = open_session(model.SerializeToString(), options()).run(None, {"x": x})
    expected = x.astype(np.float64) @ weights.astype(np.float64)
    # sums of 160 products in float32, in any order
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_options_that_are_not_tuned_are_exact_too(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = ort.InferenceSession

    def session(content: str, options: ort.SessionOptions, **others: Any) -> ort.InferenceSession:
        seen.append(options.get_session_config_entry("session.qdq_matmulnbits_accuracy_level"))
        return real(content, options, **others)

    monkeypatch.setattr(ort, "InferenceSession", session)
    OrtBackend(load(copied), tuned=False)
    OrtBackend(load(copied), threads=1)
    assert seen == ["1"] * 6
