"""The CLIP image encoder against open_clip's own preparation of pictures and its whole model."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import numpy as np
import onnx
import onnxruntime
import open_clip
import pytest
import torch
from msgspec.structs import replace
from PIL import Image
from safetensors.torch import save_file
from timm.layers import LayerScale2d
from torch import nn

from edge.errors import UsageError
from export.graphs import Graph, write_onnx
from train import config
from train.config import Clip
from train.encoders import clip
from train.encoders.clip import ClipImageEncoder, check_activation, check_sizes, pixel_statistics

CONFIGS = Path(__file__).parents[3] / "configs"
SIDE = 32
TINY = Clip("tiny-vit", weights="random", width=24)
MOBILE = Clip("MobileCLIP2-S0", weights="random", width=512)


@pytest.fixture(scope="module", autouse=True)
def tiny_vit(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A tiny architecture, made known to open_clip."""
    folder = tmp_path_factory.mktemp("architectures")
    text = {"context_length": 16, "vocab_size": 100, "width": 16, "heads": 2, "layers": 1}
    vision = {"image_size": SIDE, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}
    for name, settings in {"tiny-vit": {}, "tiny-vit-quickgelu": {"quick_gelu": True}}.items():
        described = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text, **settings}
        (folder / f"{name}.json").write_text(json.dumps(described))
    open_clip.add_model_config(folder)


@pytest.fixture(scope="module")
def whole() -> open_clip.CLIP:
    """Both towers, as open_clip makes them."""
    torch.manual_seed(0)
    with clip.quiet():
        return open_clip.create_model("tiny-vit").eval()


@pytest.fixture(params=[".safetensors", ".pt"])
def file(request: pytest.FixtureRequest, whole: open_clip.CLIP, tmp_path: Path) -> Path:
    """Its weights."""
    path = tmp_path / f"weights{request.param}"
    save = save_file if path.suffix == ".safetensors" else torch.save
    save(whole.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def mobile_tower() -> nn.Module:
    """MobileCLIP2-S0's, in which every branch counts: norms have seen pictures, no layer is scaled away."""
    torch.manual_seed(0)
    tower = clip.random_tower("MobileCLIP2-S0").train()
    for module in tower.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
            nn.init.normal_(module.bias, std=0.3)
        elif isinstance(module, LayerScale2d):
            nn.init.constant_(module.gamma, 0.5)
    with torch.no_grad():
        tower(images(3, 256).permute(0, 3, 1, 2) / 255)
    return tower.eval()


@pytest.fixture
def mobile(mobile_tower: nn.Module, monkeypatch: pytest.MonkeyPatch) -> ClipImageEncoder:
    state = mobile_tower.state_dict()
    tower = clip.random_tower("MobileCLIP2-S0")
    tower.load_state_dict(state)
    monkeypatch.setattr(clip, "random_tower", lambda _: tower)
    return ClipImageEncoder(MOBILE, 256, 256, pretrained=True)


def make(part: Clip = TINY, *, pretrained: bool = True) -> ClipImageEncoder:
    return ClipImageEncoder(part, SIDE, SIDE, pretrained=pretrained)


def images(count: int, side: int = SIDE) -> torch.Tensor:
    """Of squares of 8 x 8 pixels."""
    squares = (count, side // 8, side // 8, 3)
    drawn = torch.randint(256, squares, dtype=torch.uint8, generator=torch.Generator().manual_seed(count))
    return drawn.repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)


@torch.no_grad()
def test_it_equals_open_clips_own_preparation_and_model(file: Path, whole: open_clip.CLIP) -> None:
    frames = images(3)
    prepare = open_clip.image_transform(SIDE, is_train=False)
    expected = whole.encode_image(torch.stack([prepare(Image.fromarray(frame.numpy())) for frame in frames]))
    torch.testing.assert_close(make(replace(TINY, weights=str(file)))(frames), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_pixels_are_prepared_as_the_config_beside_a_file_says(file: Path, whole: open_clip.CLIP) -> None:
    mean, std = [0.5, 0.4, 0.3], [0.1, 0.2, 0.4]
    file.with_name("open_clip_config.json").write_text(json.dumps({"preprocess_cfg": {"mean": mean, "std": std}}))
    prepare = open_clip.image_transform(SIDE, is_train=False, mean=mean, std=std)
    frames = images(1)
    expected = whole.encode_image(prepare(Image.fromarray(frames[0].numpy()))[None])
    torch.testing.assert_close(make(replace(TINY, weights=str(file)))(frames), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("architecture", "weights", "mean", "deviation"),
    [
        ("MobileCLIP2-S0", "dfndr2b", [0.0] * 3, [1.0] * 3),
        ("MobileCLIP2-S0", "/a/file", [0.0] * 3, [1.0] * 3),
        ("ViT-B-16-SigLIP", "webli", [0.5] * 3, [0.5] * 3),
        ("ViT-L-14-quickgelu", "openai", [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
    ],
)
def test_the_pixels_are_prepared_as_in_training(
    architecture: str, weights: str, mean: list[float], deviation: list[float]
) -> None:
    assert pixel_statistics(architecture, weights) == (mean, deviation)


def test_a_file_of_which_it_is_not_known_how_pixels_were_prepared_is_refused(file: Path) -> None:
    with pytest.raises(UsageError, match=r"laion2b_s32b_b82k.* differ in the mean.*put the open_clip_config\.json"):
        pixel_statistics("ViT-L-14", str(file))


@pytest.mark.parametrize("text", ["{", "{}", '{"preprocess_cfg": {"mean": [0, 0, 0]}}'])
def test_a_config_beside_that_says_nothing_of_pixels_is_refused(text: str, file: Path) -> None:
    beside = file.with_name("open_clip_config.json")
    beside.write_text(text)
    with pytest.raises(UsageError, match=f"{beside} does not say how pixels are prepared"):
        make(replace(TINY, weights=str(file)))
    make(replace(TINY, weights=str(file)), pretrained=False)


@torch.no_grad()
def test_a_reparameterised_tower_says_what_it_said_before(mobile: ClipImageEncoder, mobile_tower: nn.Module) -> None:
    frames = images(2, 256)
    expected = mobile_tower(frames.permute(0, 3, 1, 2) / 255)
    assert len(mobile.state_dict()) < len(mobile_tower.state_dict())
    torch.testing.assert_close(mobile(frames), expected, atol=1e-4, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 0.1


@torch.no_grad()
def test_a_checkpoint_rebuilds_it(mobile: ClipImageEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    rebuilt = ClipImageEncoder(replace(MOBILE, weights="/gone"), 256, 256, pretrained=False)
    rebuilt.load_state_dict(mobile.state_dict())
    assert torch.equal(rebuilt(images(1, 256)), mobile(images(1, 256)))


@torch.no_grad()
def test_a_checkpoint_holds_how_pixels_are_prepared(file: Path) -> None:
    beside = file.with_name("open_clip_config.json")
    beside.write_text(json.dumps({"preprocess_cfg": {"mean": [0.5] * 3, "std": [0.2] * 3}}))
    first = make(replace(TINY, weights=str(file)))
    beside.unlink()
    rebuilt = make(pretrained=False)
    rebuilt.load_state_dict(first.state_dict())
    assert torch.equal(rebuilt(images(2)), first(images(2)))


def test_it_is_frozen_and_stays_in_evaluation() -> None:
    encoder = make()
    nn.Sequential(encoder).train()
    assert not any(module.training for module in encoder.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert torch.equal(encoder(images(2)), encoder(images(2)))


def test_its_text_tower_is_dropped() -> None:
    assert {name.split(".")[0] for name, _ in make().named_parameters()} == {"tower"}
    assert "tower.token_embedding.weight" not in make().state_dict()


def test_logging_is_left_as_it_was() -> None:
    before = list(logging.root.handlers)
    make()
    assert logging.root.handlers == before


@pytest.mark.parametrize("name", ["base", "large", "published"])
def test_a_shipped_configuration_fits_its_architecture(name: str) -> None:
    shipped = config.load(CONFIGS / f"{name}.yaml")
    part = shipped.image_encoder
    assert isinstance(part, Clip)
    check_sizes(part, shipped.video.height, shipped.video.width)
    tag = open_clip.get_pretrained_cfg(part.architecture, part.weights)
    assert tag["hf_hub"]
    check_activation(part, tag)


@pytest.mark.parametrize(
    ("part", "height", "width", "message"),
    [
        (replace(TINY, architecture="ViT-B32"), SIDE, SIDE, "architecture ViT-B32: open_clip has none.*ViT-B-32"),
        (replace(TINY, width=32), SIDE, SIDE, "width 32: tiny-vit makes embeddings of 24"),
        (TINY, 64, SIDE, "picture of 64 x 32: tiny-vit takes 32 x 32"),
        (replace(MOBILE), 224, 224, "picture of 224 x 224: MobileCLIP2-S0 takes 256 x 256"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(part: Clip, height: int, width: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ClipImageEncoder(part, height, width, pretrained=False)


@pytest.mark.parametrize(
    ("architecture", "weights", "message"),
    [
        ("ViT-B-32", "openai", "trained with QuickGELU; set it to ViT-B-32-quickgelu"),
        ("ViT-B-32-quickgelu", "laion2b_e16", r"no file here, nor one of .*\(openai, "),
    ],
)
def test_an_architecture_with_the_other_gelu_is_refused(architecture: str, weights: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ClipImageEncoder(Clip(architecture, weights, width=512), 224, 224, pretrained=True)


def test_weights_that_are_neither_tag_nor_file_are_refused() -> None:
    with pytest.raises(UsageError, match=r"image_encoder.weights nowhere: no file here, nor one of tiny-vit's .*none"):
        make(replace(TINY, weights="nowhere"))


def test_without_a_network_the_command_to_run_elsewhere_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    expected = "`hf download timm/MobileCLIP2-S0-OpenCLIP --local-dir DIR`.*path of DIR/open_clip_model.safetensors"
    with pytest.raises(UsageError, match=expected):
        ClipImageEncoder(replace(MOBILE, weights="dfndr2b"), 256, 256, pretrained=True)


class Code:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Callable, tuple]:
        return pytest.fail, ("a pickle was run",)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"junk"),
        lambda path: torch.save({"visual.proj": Code()}, path),
        lambda path: torch.save({"visual.proj": torch.zeros(1)}, path),
    ],
    ids=["junk", "code", "another model"],
)
def test_a_file_that_holds_no_such_weights_is_refused(damage: Callable[[Path], None], tmp_path: Path) -> None:
    damage(tmp_path / "weights.pt")
    with pytest.raises(UsageError, match=r"weights\.pt: no weights of tiny-vit can be read"):
        make(replace(TINY, weights=str(tmp_path / "weights.pt")))


def check_graph(encoder: ClipImageEncoder, side: int, path: Path) -> onnx.ModelProto:
    """Its ONNX graph, which says what torch says for several batches."""
    frames = images(3, side)
    graph = Graph("image_encoder", encoder, {"frames": frames}, ["embedding"])
    write_onnx(graph, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for rows in (slice(0, 1), slice(1, 3), slice(None)):
        (embedding,) = session.run(None, {"frames": frames[rows].numpy()})
        np.testing.assert_allclose(embedding, graph.expected["embedding"][rows], atol=1e-4)
    return onnx.load(path)


def test_a_transformers_graph_says_what_torch_says(tmp_path: Path) -> None:
    graph = check_graph(make(), SIDE, tmp_path / "image.onnx").graph
    assert [node.op_type for node in graph.node].count("LayerNormalization") == 6
    assert {node.op_type for node in graph.node if "frames" in node.input} <= {"Cast", "Shape"}


def test_a_mobile_networks_graph_says_what_torch_says(mobile: ClipImageEncoder, tmp_path: Path) -> None:
    check_graph(mobile, 256, tmp_path / "image.onnx")
