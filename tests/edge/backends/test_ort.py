"""ONNX Runtime on the shipped bundle: its golden vectors, its batches, and graphs that are not what they should be."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.backends.ort import OrtBackend, sizes
from edge.bundle import SHIPPED, load, sha256
from edge.errors import BundleError

GRAPHS = ("image_encoder", "audio_encoder", "fusion")


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
def test_no_time_is_spent_on_a_device(shipped, golden, graph: str) -> None:
    run = getattr(shipped.backend, graph)
    run({t.name: golden[f"{graph}/{t.name}"] for t in getattr(shipped.manifest.graphs, graph).inputs})
    assert run.device_ms is None


@pytest.mark.parametrize("length", [0, 1, 320, 1280])
def test_sound_of_any_length_gives_finite_tokens(shipped, length: int) -> None:
    waveform = np.zeros((1, shipped.manifest.sound.samples), np.float32)
    waveform[0, :length] = 0.1
    heard = shipped.backend.audio_encoder({"waveform": waveform, "length": np.array([length])})
    assert np.isfinite(heard["tokens"]).all()
    assert heard["mask"].any() == (length > 0)


@pytest.mark.parametrize(
    ("graph", "side", "change"),
    [
        ("image_encoder", "inputs", {"name": "pictures"}),
        ("audio_encoder", "inputs", {"dtype": "uint8"}),
        ("fusion", "outputs", {"dtype": "bool"}),
        ("image_encoder", "outputs", {"shape": ["batch", 3]}),
        ("fusion", "inputs", {"shape": [1, 75, 160]}),
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


def test_names_of_varying_dimensions_do_not_matter() -> None:
    assert sizes(["batch", 3, None]) == ["*", 3, "*"]
