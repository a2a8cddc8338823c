"""Checkpoints of the authors' code against numpy, and what becomes of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import open_clip
import pytest
import torch
from click.testing import CliRunner, Result
from msgspec.structs import replace
from safetensors.torch import save_file
from torch import Tensor
from transformers import WavLMConfig, WavLMModel

from edge.errors import UsageError
from tests.train import made, published_reference
from tests.train.published_reference import Published, Window
from train import checkpoint, config, published
from train.cli.main import main
from train.config import Clip, Config, WavLM
from train.encoders.wavlm import WavLMEncoder
from train.foalnet import FoalNet
from train.fusion import Tokens
from train.objective import Objective

HEADS = 4
LABELS = torch.tensor([0, 1, 1, 2, 3, 0, 3, 1])
SIDE = 32
HEARD = WavLM("random", width=32, layers=2, heads=2, feed_forward=48, norm="layer", stem_width=16, normalise=False)
"""Heads other than the fusion's, to be read off the tensors."""
OLD_NAMES = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
"""Of the positional convolution, before version 2 of torch."""
AS_PUBLISHED = config.Objective(
    avel=1, mem=0.1, audio_only=0, video_only=0, temperature="divides", positives="sum", gather_gradient=False
)
AS_IS_RIGHT = config.Objective(avel=1, mem=0.1, audio_only=0, video_only=0)


class Sizes(NamedTuple):
    """Of the fusion."""

    audio: int
    video: int
    embedding: int
    audio_tokens: int
    video_tokens: int


SMALL = Sizes(audio=32, video=24, embedding=16, audio_tokens=7, video_tokens=6)
WHOLE = Sizes(audio=1024, video=768, embedding=512, audio_tokens=24, video_tokens=16)


def shapes(sizes: Sizes, classes: int = 4) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every tensor of the published fusion."""
    for stack, width, keys in (("a2v", sizes.audio, sizes.video), ("v2a", sizes.video, sizes.audio)):
        for layer in range(2):
            for name, width_in in (("w_q", width), ("w_k", keys), ("w_v", keys), ("w_concat", width)):
                yield f"{stack}.{layer}.{name}.weight", (width, width_in)
                yield f"{stack}.{layer}.{name}.bias", (width,)
            yield f"{stack}.{layer}.ln.weight", (width,)
            yield f"{stack}.{layer}.ln.bias", (width,)
        yield f"{stack}_head.weight", (2, width)
        yield f"{stack}_head.bias", (2,)
    for name, width in (("audio_project", sizes.audio), ("video_project", sizes.video)):
        yield f"{name}.linear1.weight", (sizes.embedding, width)
        yield f"{name}.linear2.weight", (sizes.embedding, sizes.embedding)
        yield f"{name}.layer_norm.weight", (sizes.embedding,)
        yield f"{name}.layer_norm.bias", (sizes.embedding,)
    yield "cls_head.weight", (classes, sizes.audio + sizes.video)
    yield "cls_head.bias", (classes,)
    yield "temp", ()


def make_state(sizes: Sizes = SMALL) -> dict[str, Tensor]:
    """Drawn so that values stay about 1."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes(sizes):
        drawn = torch.randn(shape, generator=generator)
        fan_in = shape[1] if len(shape) == 2 else 10
        centre = {"temp": 2.66, "ln.weight": 1.0, "layer_norm.weight": 1.0}
        state[name] = drawn / fan_in**0.5 + next((c for end, c in centre.items() if name.endswith(end)), 0.0)
    return state


def make_wavlm(part: WavLM = HEARD) -> WavLMModel:
    """As the authors made it: with the vector of SpecAugment."""
    torch.manual_seed(1)
    settings = WavLMConfig(
        hidden_size=part.width,
        num_hidden_layers=part.layers,
        num_attention_heads=part.heads,
        intermediate_size=part.feed_forward,
        conv_dim=[part.stem_width] * 7,
        feat_extract_norm=part.norm,
        do_stable_layer_norm=part.norm == "layer",
    )
    return WavLMModel(settings).eval()


def with_wavlm(state: dict[str, Tensor], model: WavLMModel, names: dict[str, str] | None = None) -> dict[str, Tensor]:
    """The whole checkpoint, parts of the names of WavLM's tensors replaced."""
    whole = dict(state)
    for name, part in model.state_dict().items():
        for new, old in (names or {}).items():
            name = name.replace(new, old)
        whole[f"wavlm.{name}"] = part
    assert "wavlm.masked_spec_embed" in whole
    return whole


def make_tokens(sizes: Sizes = SMALL) -> Tokens:
    """A window a label: whole, of one token, with holes and padded at random."""
    generator = torch.Generator().manual_seed(2)
    parts = []
    for count, width in ((sizes.audio_tokens, sizes.audio), (sizes.video_tokens, sizes.video)):
        mask = torch.rand(len(LABELS), count, generator=generator) < 0.7
        mask[0] = True
        mask[1:3] = torch.arange(count) < 1
        mask[3] = torch.arange(count) < count // 2
        mask[:, 0] = True
        parts += [torch.randn(len(LABELS), count, width, generator=generator), mask]
    return Tokens(*parts)


def reference(state: dict[str, Tensor]) -> Published:
    return Published({name: part.numpy() for name, part in state.items() if not name.startswith("wavlm.")}, HEADS)


def windows(tokens: Tokens) -> list[Window]:
    return [Window(*(part.numpy() for part in row)) for row in zip(*tokens, strict=True)]


def check_outputs(model: FoalNet, state: dict[str, Tensor], tokens: Tokens) -> None:
    """Logits and both embeddings."""
    net = reference(state)
    with torch.no_grad():
        found = model.fuse(*tokens)
    expected = [(net.logits(window), *net.embeddings(window)) for window in windows(tokens)]
    for output, values in zip(found, map(np.stack, zip(*expected, strict=True)), strict=True):
        np.testing.assert_allclose(output.numpy(), values, atol=1e-5, rtol=0)


def check_losses(model: FoalNet, state: dict[str, Tensor], tokens: Tokens, weights: config.Objective) -> None:
    """All three, on the negatives that the same draws make."""
    divides = weights.temperature == "divides"
    scale = published_reference.published_scale if divides else published_reference.right_scale
    avel_loss = (
        published_reference.published_avel_loss if weights.positives == "sum" else published_reference.right_avel_loss
    )
    net, rows = reference(state), windows(tokens)
    labels = LABELS[: len(rows)].tolist()
    _, for_sounds, for_pictures = torch.rand((len(rows), 3), generator=seeded()).unbind(dim=1)
    audio, video = map(np.stack, zip(*map(net.embeddings, rows), strict=True))
    # As published a missing modality is no number; here it is a vector of zeros.
    audio *= tokens.audio_mask[: len(rows)].any(dim=1).numpy()[:, None]
    video *= tokens.video_mask[: len(rows)].any(dim=1).numpy()[:, None]
    scores = audio @ video.T * scale(float(state["temp"]))
    videos = published_reference.hard_negatives(scores, labels, for_sounds.tolist())
    audios = published_reference.hard_negatives(scores.T, labels, for_pictures.tolist())
    expected = {
        "classification": published_reference.cross_entropy(np.stack([net.logits(row) for row in rows]), labels),
        "avel": avel_loss(scores, labels),
        "mem": net.mem_loss(rows, videos, audios),
    }
    expected["loss"] = expected["classification"] + expected["avel"] + 0.1 * expected["mem"]
    with torch.no_grad():
        found = Objective(model.fusion, weights, label_smoothing=0.0).eval()(tokens, LABELS[: len(rows)], seeded())
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(expected, abs=1e-5)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return make_state()


def test_logits_and_embeddings_equal_numpy(state: dict[str, Tensor]) -> None:
    model = published.load(state)
    assert not model.training
    assert (model.audio_encoder, model.image_encoder) == (None, None)
    check_outputs(model, state, make_tokens())


@pytest.mark.parametrize("weights", [AS_PUBLISHED, AS_IS_RIGHT], ids=["as published", "as is right"])
def test_losses_equal_numpy(state: dict[str, Tensor], weights: config.Objective) -> None:
    check_losses(published.load(state), state, make_tokens(), weights)


def test_at_the_published_sizes_all_of_it_equals_numpy() -> None:
    state, tokens = make_state(WHOLE), Tokens(*(part[:4] for part in make_tokens(WHOLE)))
    model = published.load(state)
    check_outputs(model, state, tokens)
    check_losses(model, state, tokens, AS_PUBLISHED)


def test_a_missing_modality_is_finite_and_equals_numpy(state: dict[str, Tensor]) -> None:
    rows = torch.arange(len(LABELS))
    tokens = make_tokens().without(audio=rows < 3, video=rows > 5)
    model = published.load(state)
    assert all(torch.isfinite(output).all() for output in model.fuse(*tokens))
    check_outputs(model, state, tokens)
    check_losses(model, state, tokens, AS_PUBLISHED)


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_as_many_heads_as_are_asked_for(state: dict[str, Tensor], heads: int) -> None:
    net, tokens = Published(reference(state).tensors, heads), make_tokens()
    with torch.no_grad():
        found = published.load(state, heads).fuse(*tokens).logits
    expected = np.stack([net.logits(window) for window in windows(tokens)])
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5, rtol=0)


def test_a_temperature_of_one_element_is_a_number_too(state: dict[str, Tensor]) -> None:
    model = published.load({**state, "temp": state["temp"][None]})
    assert model.fusion.log_scale.shape == ()
    assert model.fusion.log_scale.item() == state["temp"].item()


@pytest.mark.parametrize("names", [{}, OLD_NAMES], ids=["new names", "old names"])
@pytest.mark.parametrize("norm", ["layer", "group"])
def test_its_audio_encoder_says_what_transformers_says(
    state: dict[str, Tensor], norm: str, names: dict[str, str]
) -> None:
    wavlm = make_wavlm(replace(HEARD, norm=norm))
    model = published.load(with_wavlm(state, wavlm, names))
    waveform = torch.randn(2, 4000, generator=seeded()) / 8 + 0.02
    assert model.audio_encoder is not None
    with torch.no_grad():
        tokens, mask = model.audio_encoder(waveform, torch.tensor([4000, 4000]))
        expected = wavlm(waveform).last_hidden_state
    assert mask.all()
    torch.testing.assert_close(tokens, expected, atol=1e-5, rtol=0)
    check_outputs(model, state, make_tokens())


@pytest.mark.parametrize("name", [name for name, _ in shapes(SMALL)])
def test_a_tensor_that_is_missing_is_named(state: dict[str, Tensor], name: str) -> None:
    with pytest.raises(UsageError) as caught:
        published.load({other: part for other, part in state.items() if other != name})
    assert published.our_name(name) in str(caught.value)


def larger(shape: torch.Size) -> tuple[int, ...]:
    return tuple(1 + length for length in shape) or (3,)


def longer(shape: torch.Size) -> tuple[int, ...]:
    return (*shape, 2)


def number(_: torch.Size) -> tuple[int, ...]:
    return ()


@pytest.mark.parametrize("name", [name for name, _ in shapes(SMALL) if name != "temp"])
@pytest.mark.parametrize("other", [larger, longer, number])
def test_a_tensor_of_another_size_is_refused(
    state: dict[str, Tensor], name: str, other: Callable[[torch.Size], tuple[int, ...]]
) -> None:
    with pytest.raises(UsageError):
        published.load({**state, name: torch.zeros(other(state[name].shape))})


@pytest.mark.parametrize("name", ["itm_head.weight", "a2v.0.w_z.weight", "a2v.2.w_q.weight", "v2a.1.ln.gamma"])
def test_a_tensor_that_is_unknown_is_named(state: dict[str, Tensor], name: str) -> None:
    with pytest.raises(UsageError) as caught:
        published.load({**state, name: torch.zeros(1)})
    assert published.our_name(name).rpartition(".")[0] in str(caught.value)


@pytest.mark.parametrize("other", [{}, {"fc.weight": torch.zeros(2, 3)}, {"model": {"a": torch.zeros(1)}, "epoch": 3}])
def test_what_is_no_foal_net_is_refused(other: dict) -> None:
    with pytest.raises(UsageError, match=r"this is not a checkpoint of Foal-Net: it has no a2v_head\.weight"):
        published.load(other)


def test_an_audio_encoder_that_is_not_whole_is_refused(state: dict[str, Tensor]) -> None:
    whole = with_wavlm(state, make_wavlm())
    lacking = "encoder.layers.1.final_layer_norm.bias"
    with pytest.raises(UsageError, match=f"the published audio encoder does not fit.*{lacking}"):
        published.load({name: part for name, part in whole.items() if name != f"wavlm.{lacking}"})
    with pytest.raises(UsageError, match=r"the published audio encoder does not fit(.|\n)*lm_head"):
        published.load({**whole, "wavlm.lm_head.weight": torch.zeros(1)})
    with pytest.raises(
        UsageError, match=r"the wavlm\. part is not WavLM of transformers: it has no encoder\.layers\.0"
    ):
        published.load({**state, "wavlm.layers.0.weight": torch.zeros(1)})


@pytest.mark.parametrize("other", [larger, longer, number])
def test_a_tensor_of_the_audio_encoder_of_another_size_is_refused(
    state: dict[str, Tensor], other: Callable[[torch.Size], tuple[int, ...]]
) -> None:
    whole = with_wavlm(state, make_wavlm(), OLD_NAMES)
    for name in sorted(whole.keys() - state.keys() - {"wavlm.masked_spec_embed"}):
        with pytest.raises(UsageError):
            published.load({**whole, name: torch.zeros(other(whole[name].shape))})


@pytest.fixture(scope="module", autouse=True)
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A tiny architecture, made known to open_clip."""
    folder = tmp_path_factory.mktemp("architectures")
    text = {"context_length": 16, "vocab_size": 100, "width": 16, "heads": 2, "layers": 1}
    vision = {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    described = {"embed_dim": SMALL.video, "vision_cfg": vision, "text_cfg": text}
    (folder / "published-vit.json").write_text(json.dumps(described))
    open_clip.add_model_config(folder)


@pytest.fixture(scope="module")
def chosen(tiny_clip: None) -> Config:
    """`configs/published.yaml` with small parts."""
    shipped = config.load(made.SHIPPED.with_name("published.yaml"))
    return replace(
        shipped,
        video=replace(shipped.video, height=SIDE, width=SIDE),
        audio_encoder=HEARD,
        image_encoder=Clip("published-vit", weights="random", width=SMALL.video),
        fusion=replace(shipped.fusion, embedding=SMALL.embedding),
    )


@pytest.fixture(scope="module")
def whole_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return with_wavlm(state, make_wavlm(), OLD_NAMES)


def write(path: Path, state: object) -> Path:
    """As safetensors or as torch does it, by the file's name."""
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=path.suffix != ".old")
    return path


def convert(folder: Path, state: object, chosen: Config, name: str = "published.safetensors") -> checkpoint.Checkpoint:
    """Converted, written and read again."""
    published.convert(write(folder / name, state), chosen, folder / "checkpoint.safetensors")
    return checkpoint.load(folder / "checkpoint.safetensors")


def look(model: FoalNet) -> tuple[Tensor, ...]:
    """What a model makes of a window."""
    frames = torch.randint(256, (1, 3, SIDE, SIDE, 3), dtype=torch.uint8, generator=seeded())
    waveform = torch.randn(1, 4000, generator=seeded()) / 8 + 0.02
    with torch.no_grad():
        return model(frames, torch.ones(1, 3).bool(), waveform, torch.tensor([4000]))


@pytest.mark.parametrize("name", ["published.safetensors", "published.pt", "published.bin", "published.old"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_checkpoint_is_converted_whatever_it_is_written_as(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config, name: str, prefix: str
) -> None:
    found = convert(tmp_path, {prefix + key: part for key, part in whole_state.items()}, chosen, name)
    assert found._replace(model=None) == (None, chosen, 1.0, {}, None)
    check_outputs(found.model, whole_state, make_tokens())
    loaded = published.load(whole_state)
    assert found.model.audio_encoder is not None
    assert loaded.audio_encoder is not None
    torch.testing.assert_close(
        found.model.audio_encoder.state_dict(), loaded.audio_encoder.state_dict(), atol=0, rtol=0
    )


def test_the_converted_model_says_what_the_published_parts_say(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config
) -> None:
    found = convert(tmp_path, whole_state, chosen).model
    loaded = published.load(whole_state)
    loaded.image_encoder = found.image_encoder
    for output, expected in zip(look(found), look(loaded), strict=True):
        torch.testing.assert_close(output, expected, atol=1e-6, rtol=0)


def test_an_audio_encoder_that_the_source_lacks_is_the_configurations_pre_trained_one(
    tmp_path: Path, state: dict[str, Tensor], chosen: Config
) -> None:
    folder = tmp_path / "wavlm"
    make_wavlm().save_pretrained(folder)
    part = replace(HEARD, weights=str(folder))
    found = convert(tmp_path, state, replace(chosen, audio_encoder=part)).model.audio_encoder
    expected = WavLMEncoder(part, 16_000, pretrained=True)
    assert found is not None
    torch.testing.assert_close(found.state_dict(), expected.state_dict(), atol=0, rtol=0)


@pytest.mark.parametrize(
    "change",
    [{"embedding": 24}, {"layers": 1}],
    ids=str,
)
def test_a_fusion_of_other_sizes_than_the_configurations_is_refused(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config, change: dict[str, int]
) -> None:
    other = replace(chosen, fusion=replace(chosen.fusion, **change))
    with pytest.raises(
        UsageError, match=r"the fusion in .*published\.safetensors has other sizes than foal-published's"
    ):
        convert(tmp_path, whole_state, other)
    assert not (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize("change", [{"labels": ["a", "b"]}, {"image_encoder": Clip("ViT-B-32", "random", width=512)}])
def test_other_labels_or_another_image_encoder_are_refused(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config, change: dict
) -> None:
    with pytest.raises(UsageError, match="has other sizes than foal-published's"):
        convert(tmp_path, whole_state, replace(chosen, **change))


@pytest.mark.parametrize(
    "change", [{"layers": 1}, {"heads": 4}, {"feed_forward": 64}, {"norm": "group"}, {"stem_width": 8}], ids=str
)
def test_an_audio_encoder_of_other_sizes_than_the_configurations_is_refused(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config, change: dict
) -> None:
    other = replace(chosen, audio_encoder=replace(HEARD, **change))
    with pytest.raises(UsageError, match=r"published\.safetensors"):
        published.convert(write(tmp_path / "published.safetensors", whole_state), other, tmp_path / "made.safetensors")
    assert not (tmp_path / "made.safetensors").exists()


def test_a_waveform_that_would_be_normalised_unlike_in_training_is_refused(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config
) -> None:
    other = replace(chosen, audio_encoder=replace(HEARD, normalise=True))
    with pytest.raises(UsageError, match="normalise"):
        convert(tmp_path, whole_state, other)


class Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable, tuple]:
        return Path.mkdir, (self.folder,)


@pytest.mark.parametrize("name", ["published.pt", "published.old"])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, state: dict[str, Tensor], name: str) -> None:
    path = write(tmp_path / name, {**state, "temp": Code(tmp_path / "ran")})
    with pytest.raises(UsageError, match=r"holds more than tensors, or is damaged") as caught:
        published.read(path)
    assert not (tmp_path / "ran").exists()
    # Torch says how to run it all the same.
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("name", ["published.safetensors", "published.pt", "published.old"])
@pytest.mark.parametrize(
    "content", [None, b"", b"junk", b"no weights here, but words"], ids=["cut short", "", "4", "words"]
)
def test_a_damaged_file_is_refused(tmp_path: Path, state: dict[str, Tensor], name: str, content: bytes | None) -> None:
    path = write(tmp_path / name, state)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UsageError, match=name):
        published.read(path)


@pytest.mark.parametrize("content", [torch.zeros(2), [torch.zeros(2)], None, {1: torch.zeros(2)}], ids=str)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(UsageError):
        published.load(published.read(write(tmp_path / "published.pt", content)))


@pytest.mark.parametrize("name", ["none.pt", "none.safetensors", "."])
def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"no checkpoint at .*; give the authors' file"):
        published.read(tmp_path / name)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert-published", *map(str, arguments)])


def test_the_command_writes_a_checkpoint(tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config) -> None:
    source = write(tmp_path / "foal.pt", whole_state)
    path = made.write_config(tmp_path / "tiny.yaml", chosen)
    result = run(source, "--config", path, "-o", tmp_path / "new" / "checkpoint.safetensors")
    assert result.exit_code == 0, result.output
    assert result.output == f"checkpoint: {tmp_path / 'new' / 'checkpoint.safetensors'}\n"
    found = checkpoint.load(tmp_path / "new" / "checkpoint.safetensors")
    assert found.config == chosen
    check_outputs(found.model, whole_state, make_tokens())


def test_the_command_takes_the_published_configuration_where_none_is_given(
    tmp_path: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.SHIPPED.parents[1])
    result = run(write(tmp_path / "foal.pt", state), "-o", tmp_path / "checkpoint.safetensors")
    assert isinstance(result.exception, UsageError)
    assert "has other sizes than foal-published's; give the --config of its sizes" in str(result.exception)


def test_labels_in_another_order_than_the_published_logits_are_refused(
    tmp_path: Path, whole_state: dict[str, Tensor], chosen: Config
) -> None:
    other = replace(chosen, labels=["angry", "happy", "neutral", "sad"])
    with pytest.raises(UsageError, match=r"the published logits are \['happy', 'neutral', 'sad', 'angry'\]"):
        convert(tmp_path, whole_state, other)
