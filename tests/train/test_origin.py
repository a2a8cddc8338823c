"""The network that a training goes on from: the shipped bundle gives its golden outputs, another is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import torch
from msgspec.structs import replace

from edge.bundle import golden
from edge.bundle.load import SHIPPED, load
from edge.errors import UsageError
from tests.train import made
from train import checkpoint, config
from train.checkpoint import Ancestor, Checkpoint
from train.config import Config, Fusion, NanoImage
from train.encoders.nano_pieces import ContextFusion
from train.foalnet import graph_modules
from train.origin import Origin, open_origin, start_fusion

OWN = made.SHIPPED.with_name("own-clips.yaml")
BUNDLE = load(SHIPPED)


@pytest.fixture(scope="module")
def own() -> Config:
    return config.load(OWN)


@pytest.fixture(scope="module")
def origin(own: Config) -> Origin:
    found = open_origin(own, "foal-nano")
    assert found is not None
    return found


def kept(origin: Origin, chosen: Config, path: Path) -> Path:
    """The network as a checkpoint of a configuration."""
    checkpoint.save(
        path, Checkpoint(origin.model, chosen, 1.5, {}, Ancestor("foal-old 1", "to nobody", ["old voices"]))
    )
    return path


@pytest.mark.parametrize("graph", ["image_encoder", "audio_encoder", "fusion"])
def test_the_shipped_bundle_gives_its_golden_outputs_in_torch(origin: Origin, graph: str) -> None:
    entry, vectors = BUNDLE.manifest.graphs.by_name()[graph], golden.load(BUNDLE)[graph]
    with torch.no_grad():
        made = graph_modules(origin.model)[graph](*(torch.from_numpy(vectors[tensor.name]) for tensor in entry.inputs))
    for tensor, found in zip(entry.outputs, (made,) if isinstance(made, torch.Tensor) else made, strict=True):
        # The weights are the same to the last bit: what differs is the order of sums, as between two processors.
        torch.testing.assert_close(found.double(), torch.from_numpy(vectors[tensor.name]).double(), atol=1e-4, rtol=0)


def test_the_shipped_bundle_says_its_labels_and_terms(origin: Origin) -> None:
    manifest = BUNDLE.manifest
    assert (origin.labels, origin.temperature) == (manifest.labels, manifest.temperature)
    assert origin.ancestor == Ancestor(f"foal-nano {manifest.version}", manifest.licences.weights, manifest.trained_on)
    assert not any(module.training for module in origin.model.modules())


def test_a_folder_is_opened_as_the_name_is(own: Config, origin: Origin) -> None:
    found = open_origin(own, str(SHIPPED))
    assert found is not None
    assert found.ancestor == origin.ancestor


def test_a_checkpoint_is_opened_with_what_it_came_from(own: Config, origin: Origin, tmp_path: Path) -> None:
    path = kept(origin, replace(own, name="foal-mine", version="7"), tmp_path / "c.safetensors")
    found = open_origin(own, str(path))
    assert found is not None
    assert (found.labels, found.temperature) == (own.labels, 1.5)
    assert (found.ancestor.name, found.ancestor.trained_on[-1]) == ("foal-mine 7", "old voices")
    expected = origin.model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.model.state_dict().items())


def test_clips_of_pre_trained_encoders_need_no_origin(own: Config) -> None:
    assert open_origin(config.load(OWN.with_name("base.yaml")), None) is None
    with pytest.raises(UsageError, match="say whose they are, such as --from foal-nano"):
        open_origin(own, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda own: replace(own, audio=replace(own.audio, window_s=3.0)), "its sound is .*6.0.*, that of .* is .*3.0"),
        (lambda own: replace(own, video=replace(own.video, framing="whole")), "its picture is .*take over the former"),
        (lambda own: replace(own, image_encoder=NanoImage(96)), r"image_encoder\.onnx has other sizes .*size mismatch"),
        (lambda own: replace(own, fusion=Fusion(64, 4, 2, True)), r"fusion\.onnx has other sizes than"),
        (
            lambda own: replace(own, fusion=Fusion(192, 4, 3, True)),
            r"fusion\.onnx has no fusion\.a2v\.2\..*, nor \d+ more",
        ),
        (lambda own: replace(own, fusion=Fusion(192, 2, 2, True)), "give a logits that differs by .* `fusion` too"),
        (lambda own: config.load(OWN.with_name("base.yaml")), "bundles of nano encoders alone, those of foal-base"),
    ],
)
def test_a_configuration_of_another_network_is_refused(
    own: Config, change: Callable[[Config], Config], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        open_origin(change(own), "foal-nano")


def test_a_checkpoint_of_another_network_is_refused(own: Config, origin: Origin, tmp_path: Path) -> None:
    path = kept(origin, own, tmp_path / "c.safetensors")
    with pytest.raises(UsageError, match=r"its fusion is .*'heads': 4.*, that of .*'heads': 2"):
        open_origin(replace(own, fusion=replace(own.fusion, heads=2)), str(path))


def test_what_is_not_there_is_refused_with_what_could_be(own: Config, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none: there is nothing of this name; give foal-nano, a bundle's folder, or"):
        open_origin(own, str(tmp_path / "none"))


def test_a_bundle_of_lower_precision_is_refused(own: Config, tmp_path: Path) -> None:
    folder = copytree(SHIPPED, tmp_path / "bundle")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["graphs"]["image_encoder"]["precision"] = "fp16"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="its graphs are in fp16; give the bundle in fp32"):
        open_origin(own, str(folder))


def test_a_known_label_keeps_its_rows_and_a_new_one_starts_at_nothing(own: Config, origin: Origin) -> None:
    labels = ["sad", "bored", "angry"]
    fusion = checkpoint.make_fusion(replace(own, labels=labels)).eval()
    start_fusion(fusion, origin, labels)
    vectors = golden.load(BUNDLE)["fusion"]
    inputs = [torch.from_numpy(vectors[tensor.name]) for tensor in BUNDLE.manifest.graphs.fusion.inputs]
    with torch.no_grad():
        found = ContextFusion(origin.model.audio_encoder, fusion).eval()(*inputs)
    expected = torch.from_numpy(vectors["logits"])[:, [origin.labels.index(label) for label in ("sad", "angry")]]
    torch.testing.assert_close(found.logits[:, [0, 2]], expected, atol=1e-4, rtol=0)
    assert not found.logits[:, 1].any()
    torch.testing.assert_close(found.audio_embedding, torch.from_numpy(vectors["audio_embedding"]), atol=1e-4, rtol=0)
