"""The bundle: whole or not at all, what the runtime loads, and never over what is no bundle."""

import hashlib
import sys
from pathlib import Path
from shutil import copytree

import msgspec
import numpy as np
import onnx
import onnx_ir
import pytest
import torch
from click.testing import CliRunner
from onnx.reference import ReferenceEvaluator

from edge.backends.onnxruntime import OrtBackend
from edge.bundle import load as bundles
from edge.errors import BundleError, FoalError, UsageError
from export import bundle as module
from export import compare
from export import graphs as graph_files
from export.__main__ import run_command
from export.bundle import complete, examples, fp32_bundle, write, write_manifest
from export.commands import main as commands
from export.graphs import Graph, save
from tests.export.conftest import Exported, Lowered, export
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
    said = (manifest.name, manifest.version, manifest.labels, manifest.audio, manifest.video, manifest.temperature)
    known = (config.name, config.version, config.labels, config.audio, config.video, loaded.temperature)
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
            ("waveform", "float32", ["batch", 75 + 14_000 + 75]),
            ("end", "int64", ["batch"]),
            ("before", "float32", ["batch", 17, 512]),
            ("known", "int64", ["batch"]),
            ("tokens", "float32", ["batch", 12, config.audio_encoder.width]),
            ("frames", "float32", ["batch", 7, 512]),
            ("voice", "float32", ["batch", 12]),
        ],
        [
            ("audio_tokens", "float32", ["batch", 16, config.audio_encoder.width]),
            ("audio_mask", "bool", ["batch", 16]),
            ("video_tokens", "float32", ["batch", 10, config.image_encoder.width]),
            ("video_mask", "bool", ["batch", 10]),
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


def test_each_label_has_golden_probabilities(
    exported: Exported, graphs: dict[str, Graph], loaded: Checkpoint, lowered: Lowered
) -> None:
    logits = graphs["fusion"].expected["logits"].numpy().astype(float)
    powers = np.exp(logits / loaded.temperature)
    found = bundles.load(exported.folder).manifest.golden_probabilities
    assert found is not None
    assert list(found) == loaded.config.labels
    np.testing.assert_allclose(np.array(list(found.values())).T, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    assert bundles.load(lowered("int8").folder).manifest.golden_probabilities == found


def test_golden_inputs_are_faces_and_voices_whole_short_and_absent(loaded: Checkpoint) -> None:
    frames, waveform, length = examples(loaded)
    steps = waveform * 2**12
    assert torch.equal(steps, steps.round()), "or the file is twice as large"
    assert frames.shape == (4, 64, 64, 3)
    assert frames.dtype == torch.uint8
    assert frames.float().std(dim=(1, 2, 3)).min() > 10
    assert length.tolist() == [32_000, 0, 16_000]
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
    with pytest.raises(UsageError, match="precious holds something other than a bundle; give an empty or a new folder"):
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


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_lower_precision_is_a_whole_bundle(lowered: Lowered, exported: Exported, precision: str) -> None:
    folder = lowered(precision).folder
    assert set(content(folder)) == FILES
    bundle, fp32 = bundles.load(folder), bundles.load(exported.folder).manifest
    OrtBackend(bundle, threads=1)
    assert content(folder)["golden.npz"] == content(exported.folder)["golden.npz"]
    for name, entry in bundle.manifest.graphs.by_name().items():
        known = fp32.graphs.by_name()[name]
        assert entry.precision == precision
        assert (entry.inputs, entry.outputs, entry.batch) == (known.inputs, known.outputs, known.batch)
        assert entry.tolerance >= known.tolerance
    assert bundle.manifest.name == f"{fp32.name}-{precision}"
    changed = dict.fromkeys(("graphs", "compared", "name"))
    assert msgspec.structs.replace(bundle.manifest, **changed) == msgspec.structs.replace(fp32, **changed)


def test_int8_may_differ_from_torch_by_three_times_what_it_differs_here(lowered: Lowered) -> None:
    bundle = bundles.load(lowered("int8").folder)
    backend = OrtBackend(bundle, threads=1)
    with np.load(bundle.path(bundle.manifest.golden), allow_pickle=False) as golden:
        for name, entry in bundle.manifest.graphs.by_name().items():
            found = getattr(backend, name)({tensor.name: golden[f"{name}/{tensor.name}"] for tensor in entry.inputs})
            worst = max(np.abs(found[key].astype(float) - golden[f"{name}/{key}"]).max() for key in found)
            assert entry.tolerance == pytest.approx(max(module.TOLERANCE, 3 * worst), rel=1e-3)


@pytest.mark.parametrize("name", ["image_encoder", "fusion"])
def test_fp16_as_numpy_computes_it_is_within_its_tolerance_of_torch(lowered: Lowered, name: str) -> None:
    bundle = bundles.load(lowered("fp16").folder)
    entry = bundle.manifest.graphs.by_name()[name]
    evaluator = ReferenceEvaluator(str(bundle.path(entry.file)))
    with np.load(bundle.path(bundle.manifest.golden), allow_pickle=False) as golden:
        found = evaluator.run(None, {tensor.name: golden[f"{name}/{tensor.name}"] for tensor in entry.inputs})
        for tensor, array in zip(entry.outputs, found, strict=True):
            np.testing.assert_allclose(array, golden[f"{name}/{tensor.name}"], rtol=0, atol=entry.tolerance)


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_the_manifest_lists_what_stays_fp32_by_names_of_the_graph(lowered: Lowered, precision: str) -> None:
    bundle = bundles.load(lowered(precision).folder)
    for entry in bundle.manifest.graphs.by_name().values():
        names = [node.name for node in onnx.load(bundle.path(entry.file)).graph.node]
        assert set(entry.kept_fp32) <= set(names)
        assert len(names) == len(set(names))
    assert bundle.manifest.graphs.audio_encoder.kept_fp32


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_the_manifest_and_the_card_say_what_a_lower_precision_changes(
    lowered: Lowered, exported: Exported, precision: str
) -> None:
    folder = lowered(precision).folder
    found = bundles.load(folder).manifest.compared
    assert found is not None
    assert found.windows > 10
    assert 0 < found.mean_difference < found.largest_difference < 0.5
    card = " ".join((folder / "README.md").read_text().split())
    assert f"The graphs are in {precision}, but for what the manifest lists as `kept_fp32`." in card
    assert f"On {found.windows} windows" in card
    assert f"their UA is {100 * found.ua:.1f} %, in fp32 {100 * found.ua_fp32:.1f} %" in card
    assert bundles.load(exported.folder).manifest.compared is None
    assert "The graphs are in fp32." in (exported.folder / "README.md").read_text()


@pytest.mark.usefixtures("small_folds")
def test_one_graph_of_a_bundle_is_converted_without_its_checkpoint(
    exported: Exported, trained: Path, data: Path, tmp_path: Path
) -> None:
    configuration = ["--config", str(trained.parents[1] / "tiny.yaml"), "--data", str(data), "--precision", "int8"]
    command = ["lower", str(exported.folder), *configuration, "-o", str(tmp_path / "made"), "--graph", "image_encoder"]
    result = CliRunner().invoke(commands, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    made, fp32 = bundles.load(tmp_path / "made").manifest, bundles.load(exported.folder).manifest
    assert made.name == f"{fp32.name}-int8"
    assert [graph.precision for graph in made.graphs.by_name().values()] == ["int8", "fp32", "fp32"]
    assert (made.graphs.audio_encoder, made.graphs.fusion) == (fp32.graphs.audio_encoder, fp32.graphs.fusion)
    assert made.compared is not None
    card = " ".join((tmp_path / "made" / "README.md").read_text().split())
    assert (
        "Of the graphs, image_encoder is in int8, but for what the manifest lists as `kept_fp32`, the others in" in card
    )
    assert "--config configs/tiny.yaml" in card
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_bundle_is_not_converted_twice_nor_with_another_configuration(
    exported: Exported, lowered: Lowered, loaded: Checkpoint
) -> None:
    with pytest.raises(UsageError, match=r"is in a lower precision already; give the bundle in fp32"):
        fp32_bundle(lowered("fp16").folder, loaded.config)
    other = msgspec.structs.replace(loaded.config, labels=loaded.config.labels[::-1])
    with pytest.raises(UsageError, match=r"has the labels \[.*\], foal-tiny has \[.*\]; give the"):
        fp32_bundle(exported.folder, other)


@pytest.mark.parametrize("command", ["lower", "renew"])
def test_a_bundle_that_is_not_there_is_missed_before_the_corpora_are(command: str, tmp_path: Path) -> None:
    configuration = ["--config", "configs/nano.yaml", "-o", str(tmp_path / "made")]
    if command == "lower":
        configuration += ["--precision", "int8", "--data", str(tmp_path / "no corpora")]
    with pytest.raises(BundleError, match="manifest"):
        CliRunner().invoke(commands, [command, str(tmp_path / "nope"), *configuration], catch_exceptions=False)


@pytest.mark.usefixtures("small_folds")
def test_weights_that_are_large_lie_in_files_of_their_own(
    trained: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lowered: Lowered, exported: Exported
) -> None:
    """As small ones do where the limit is zero; the graphs compute the same. They are exported before."""
    monkeypatch.setattr(module, "write_onnx", lambda _, path: save(onnx_ir.load(exported.folder / path.name), path))
    monkeypatch.setattr(graph_files, "LARGEST_INLINE", 0)
    monkeypatch.setattr(compare, "LARGEST_LOSS", 0.1)
    folder = export(trained, tmp_path, "--precision", "fp16", "--data", str(data)).folder
    apart, inside = bundles.load(folder), bundles.load(lowered("fp16").folder)
    names = {f"{name}.weights" for name in apart.manifest.graphs.by_name()}
    assert set(content(folder)) == FILES | names
    backends = OrtBackend(apart, threads=1), OrtBackend(inside, threads=1)
    with np.load(folder / "golden.npz", allow_pickle=False) as golden:
        for name, entry in apart.manifest.graphs.by_name().items():
            assert entry.weights is not None
            assert entry.weights.path == f"{name}.weights"
            assert apart.path(entry.file).stat().st_size < inside.path(entry.file).stat().st_size
            inputs = {tensor.name: golden[f"{name}/{tensor.name}"] for tensor in entry.inputs}
            found, expected = (getattr(backend, name)(inputs) for backend in backends)
            for key, array in found.items():
                np.testing.assert_array_equal(array, expected[key])


@pytest.mark.usefixtures("small_folds")
def test_a_precision_that_is_too_far_from_fp32_makes_no_bundle(
    trained: Path, data: Path, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "LARGEST_MEAN_DIFFERENCE", 0.0)
    monkeypatch.setattr(module, "fill", lambda _, made, __: copytree(exported.folder, made, dirs_exist_ok=True))
    with pytest.raises(FoalError, match=r"int8 is too far from fp32: UA .* differ by 0\.\d+ on average"):
        export(trained, tmp_path, "--precision", "int8", "--data", str(data))
    assert not list(tmp_path.iterdir())


def test_a_bundle_that_lacks_them_is_completed_and_else_unchanged(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copytree(exported.folder, tmp_path / "older")
    whole = bundles.load(folder)
    write_manifest(msgspec.structs.replace(whole.manifest, golden_probabilities=None, video_head=None), folder)
    assert bundles.load(folder) != whole
    monkeypatch.setattr(sys, "argv", ["export", "complete", str(folder)])
    with pytest.raises(SystemExit) as ended:
        run_command()
    assert not ended.value.code
    said = "its manifest has golden probabilities of each label, and the video head of its fusion if any"
    assert capsys.readouterr().out == f"{folder}: {said}\n"
    assert bundles.load(folder) == whole
    assert {path.name for path in folder.iterdir()} == {path.name for path in exported.folder.iterdir()}


def test_a_bundle_whose_graphs_are_off_is_not_completed(exported: Exported, tmp_path: Path) -> None:
    folder = copytree(exported.folder, tmp_path / "off")
    manifest = bundles.load(folder).manifest
    strict = msgspec.structs.replace(manifest.graphs.fusion, tolerance=1e-30)
    graphs = msgspec.structs.replace(manifest.graphs, fusion=strict)
    write_manifest(msgspec.structs.replace(manifest, graphs=graphs, golden_probabilities=None), folder)
    with pytest.raises(BundleError, match="foal-tiny on onnxruntime-cpu: fusion differs by"):
        complete(folder)
    assert bundles.load(folder).manifest.golden_probabilities is None
