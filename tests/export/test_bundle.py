"""The bundle: whole or not at all, what the runtime loads, and never over what is no bundle."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from edge import bundle as bundles
from edge.backends.ort import OrtBackend
from edge.errors import FoalError, UsageError
from export import bundle as module
from export.bundle import examples, write
from export.graphs import Graph
from tests.export.conftest import Exported
from train.checkpoint import Checkpoint, build
from train.provenance import trained_on

FILES = {
    "LICENSE",
    "README.md",
    "audio_encoder.onnx",
    "fusion.onnx",
    "golden.npz",
    "image_encoder.onnx",
    "manifest.json",
}


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_manifest_says_what_the_checkpoint_is(exported: Exported, loaded: Checkpoint) -> None:
    manifest, config = bundles.load(exported.folder).manifest, loaded.config
    said = (manifest.name, manifest.version, manifest.labels, manifest.sound, manifest.picture, manifest.temperature)
    known = (config.name, config.version, config.labels, config.sound, config.picture, loaded.temperature)
    assert said == known
    assert manifest.measured == loaded.measured
    assert manifest.trained_on == trained_on(config)
    assert manifest.licences.weights == config.weights_licence


def test_it_holds_its_files_and_nothing_is_left_beside_it(exported: Exported) -> None:
    assert set(content(exported.folder)) == FILES
    assert [path.name for path in exported.folder.parent.iterdir()] == [exported.folder.name]


def test_the_tensors_are_those_of_the_design(exported: Exported, loaded: Checkpoint) -> None:
    graphs, config = bundles.load(exported.folder).manifest.graphs, loaded.config
    entries = [
        [(tensor.name, tensor.dtype, tensor.shape) for tensor in [*graph.inputs, *graph.outputs]]
        for graph in (graphs.image_encoder, graphs.audio_encoder, graphs.fusion)
    ]
    assert entries == [
        [("frames", "uint8", ["batch", 64, 64, 3]), ("embedding", "float32", ["batch", config.image_encoder.width])],
        [
            ("waveform", "float32", ["batch", 25_600]),
            ("length", "int64", ["batch"]),
            ("tokens", "float32", ["batch", 20, config.audio_encoder.width]),
            ("mask", "bool", ["batch", 20]),
        ],
        [
            ("audio_tokens", "float32", ["batch", 20, config.audio_encoder.width]),
            ("audio_mask", "bool", ["batch", 20]),
            ("video_tokens", "float32", ["batch", 8, config.image_encoder.width]),
            ("video_mask", "bool", ["batch", 8]),
            ("logits", "float32", ["batch", 4]),
            ("audio_embedding", "float32", ["batch", config.fusion.embedding]),
            ("video_embedding", "float32", ["batch", config.fusion.embedding]),
        ],
    ]


@pytest.mark.parametrize("name", ["image_encoder", "audio_encoder", "fusion"])
def test_the_runtime_reproduces_the_golden_vectors(exported: Exported, graphs: dict[str, Graph], name: str) -> None:
    bundle = bundles.load(exported.folder)
    entry = getattr(bundle.manifest.graphs, name)
    with np.load(bundle.path(bundle.manifest.golden), allow_pickle=False) as archive:
        golden = {key.removeprefix(f"{name}/"): archive[key] for key in archive if key.startswith(f"{name}/")}
    assert list(golden) == [tensor.name for tensor in [*entry.inputs, *entry.outputs]]
    found = getattr(OrtBackend(bundle, threads=1), name)({tensor.name: golden[tensor.name] for tensor in entry.inputs})
    for key, reference in graphs[name].expected.items():
        np.testing.assert_array_equal(golden[key], reference.numpy())
        np.testing.assert_allclose(found[key].astype(np.float64), golden[key], atol=entry.tolerance, rtol=0)


def test_golden_inputs_are_faces_and_voices_whole_short_and_absent(loaded: Checkpoint) -> None:
    frames, waveform, length = examples(loaded)
    assert frames.shape == (3, 64, 64, 3)
    assert frames.dtype == torch.uint8
    assert frames.float().std(dim=(1, 2, 3)).min() > 10
    assert length.tolist() == [25_600, 0, 12_800]
    for row, samples in zip(waveform, length.tolist(), strict=True):
        assert not row[samples:].any()
        assert bool(row.any()) == bool(samples)


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch, exported: Exported) -> None:
    """Filling a bundle without the exporter: the exported one's manifest, under another version."""

    def copy(_: Checkpoint, folder: Path, __: object) -> None:
        manifest = msgspec.json.decode((exported.folder / "manifest.json").read_bytes())
        (folder / "manifest.json").write_bytes(msgspec.json.encode({**manifest, "version": "new"}))

    monkeypatch.setattr(module, "fill", copy)


def version(folder: Path) -> str:
    return msgspec.json.decode((folder / "manifest.json").read_bytes())["version"]


def old_bundle(exported: Exported, folder: Path) -> Path:
    folder.mkdir()
    for path in exported.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "engines").mkdir()
    (folder / "engines" / "stale").write_bytes(b"built from the old graphs")
    return folder


@pytest.mark.usefixtures("fill")
@pytest.mark.parametrize("before", ["nothing", "an empty folder", "a bundle"])
def test_it_takes_the_place_of(before: str, exported: Exported, loaded: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    if before == "an empty folder":
        folder.mkdir()
    elif before == "a bundle":
        old_bundle(exported, folder)
    said: list[str] = []
    write(loaded, folder, said.append)
    assert version(folder) == "new"
    assert set(content(folder)) == {"manifest.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert said[-1].startswith(f"{folder}: ")


@pytest.mark.usefixtures("fill")
@pytest.mark.parametrize(
    ("name", "text"),
    [("thesis.txt", "years of work"), ("manifest.json", '{"manifest_version": 3, "name": "a browser extension"}')],
)
def test_what_is_no_bundle_is_not_written_over(name: str, text: str, loaded: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / name).write_text(text)
    (folder / "more.txt").write_text("more")
    before = content(folder)
    with pytest.raises(UsageError, match="precious holds something that is no bundle; give an empty or a new folder"):
        write(loaded, folder, print)
    assert content(folder) == before


@pytest.mark.usefixtures("fill")
def test_a_file_is_not_written_over(loaded: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UsageError, match="file"):
        write(loaded, tmp_path / "file", print)
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("error", [FoalError("differs"), KeyboardInterrupt()])
def test_a_failing_export_leaves_the_old_bundle_as_it_was(
    error: BaseException,
    exported: Exported,
    loaded: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = old_bundle(exported, tmp_path / "bundle")
    before = content(folder)

    def half(graph: Graph, path: Path) -> None:
        path.write_bytes(b"half a graph")
        raise error

    monkeypatch.setattr(module, "write_onnx", half)
    with pytest.raises(type(error)):
        write(loaded, folder, print)
    assert content(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_graph_that_differs_from_torch_makes_no_bundle(
    exported: Exported, loaded: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The export is replaced by a file of other weights."""
    changed = loaded._replace(model=build(loaded.config))

    def stale(_: Graph, path: Path) -> None:
        path.write_bytes((exported.folder / path.name).read_bytes())

    monkeypatch.setattr(module, "write_onnx", stale)
    with pytest.raises(FoalError, match="image_encoder: ONNX differs from torch"):
        write(changed, tmp_path / "bundle", print)
    assert not list(tmp_path.iterdir())
