"""The WavLM encoder against transformers' own feature extractor and model."""

from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import numpy as np
import onnxruntime
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

from edge.errors import UsageError
from export.graphs import Graph, write_onnx
from train import config
from train.config import WavLM
from train.encoders.wavlm import WavLMEncoder, standardise, token_mask, wavlm_config

CONFIGS = Path(__file__).parents[3] / "configs"
RATE_HZ = 16_000
TINY = WavLM("random", width=32, layers=2, heads=4, feed_forward=64, norm="layer", stem_width=16)
SAMPLES = 8000
LENGTHS = torch.tensor([SAMPLES, 5000, 400, 399, 0])


def make(part: WavLM = TINY) -> WavLMEncoder:
    torch.manual_seed(0)
    return WavLMEncoder(part, RATE_HZ, pretrained=True).eval()


@pytest.fixture(scope="module", params=["layer", "group"])
def encoder(request: pytest.FixtureRequest) -> WavLMEncoder:
    return make(replace(TINY, norm=request.param))


@pytest.fixture(scope="module")
def waveform() -> torch.Tensor:
    return torch.randn(len(LENGTHS), SAMPLES, generator=torch.Generator().manual_seed(1)) / 8 + 0.02


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder as transformers writes it."""
    make().model.save_pretrained(tmp_path)
    return tmp_path


def cut(waveform: torch.Tensor) -> torch.Tensor:
    return waveform * (torch.arange(SAMPLES) < LENGTHS[:, None])


def tokens_of(length: int) -> int:
    """Convolution by convolution."""
    for kernel, stride in zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True):
        length = 0 if length < kernel else (length - kernel) // stride + 1
    return length


def test_a_token_counts_where_the_convolutions_see_nothing_past_the_length() -> None:
    lengths = [*range(1500), *range(0, 96_000, 997), 95_999, 96_000]
    assert token_mask(299, torch.tensor(lengths)).sum(dim=1).tolist() == [tokens_of(length) for length in lengths]
    assert tokens_of(96_000) == 299


@torch.no_grad()
def test_a_window_of_6_s_has_299_tokens(encoder: WavLMEncoder) -> None:
    tokens, mask = encoder(torch.zeros(1, 96_000), torch.tensor([96_000]))
    assert tokens.shape == (1, 299, encoder.width)
    assert mask.all()


@torch.no_grad()
def test_tokens_past_the_length_are_zero(encoder: WavLMEncoder, waveform: torch.Tensor) -> None:
    tokens, mask = encoder(waveform, LENGTHS)
    assert mask.sum(dim=1).tolist() == [24, 15, 1, 0, 0]
    assert torch.isfinite(tokens).all()
    assert not tokens[~mask].any()
    assert tokens[mask].any(dim=1).all()


def test_the_waveform_is_standardised_over_its_length(waveform: torch.Tensor) -> None:
    found = standardise(waveform, torch.arange(SAMPLES) < LENGTHS[:, None]).numpy()
    for row, length in enumerate(LENGTHS):
        valid = waveform[row, :length].double().numpy()
        expected = np.zeros(SAMPLES)
        expected[:length] = (valid - valid.mean()) / np.sqrt(valid.var() + 1e-7) if length else 0
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("norm", ["layer", "group"])
@torch.no_grad()
def test_it_equals_transformers(norm: str, normalise: bool, waveform: torch.Tensor) -> None:
    encoder = make(replace(TINY, norm=norm, normalise=normalise))
    settings = WavLMConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        conv_dim=[16] * 7,
        feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer",
    )
    model = WavLMModel(settings).eval()
    assert model.load_state_dict(encoder.model.state_dict(), strict=False).missing_keys == ["masked_spec_embed"]
    extract = Wav2Vec2FeatureExtractor(do_normalize=normalise, return_attention_mask=True)
    rows = [row[:length].numpy() for row, length in zip(waveform[:3], LENGTHS, strict=False)]
    prepared = extract(rows, sampling_rate=RATE_HZ, padding=True, return_tensors="pt")
    encoder.model.register_forward_pre_hook(
        lambda _, args: torch.testing.assert_close(args[0], prepared["input_values"], atol=1e-5, rtol=0)
    )
    tokens, mask = encoder(waveform[:3], LENGTHS[:3])
    with pytest.warns(UserWarning, match="mismatched key_padding_mask"):
        expected = model(**prepared).last_hidden_state
    torch.testing.assert_close(tokens[mask], expected[mask], atol=1e-4, rtol=0)


@torch.no_grad()
def test_samples_past_the_length_do_not_matter(encoder: WavLMEncoder, waveform: torch.Tensor) -> None:
    torch.testing.assert_close(encoder(waveform, LENGTHS)[0], encoder(cut(waveform), LENGTHS)[0])


@torch.no_grad()
def test_how_much_padding_there_is_matters_to_the_group_norm_alone(
    encoder: WavLMEncoder, waveform: torch.Tensor
) -> None:
    length = torch.tensor([5000])
    padded, mask = encoder(waveform[:1], length)
    whole = encoder(waveform[:1, :5000], length)[0]
    difference = (padded[mask] - whole[0]).abs().max()
    assert (difference < 1e-5) == (encoder.model.config.feat_extract_norm == "layer")


@torch.no_grad()
def test_a_row_is_the_same_alone_and_in_a_batch(encoder: WavLMEncoder, waveform: torch.Tensor) -> None:
    together = encoder(waveform, LENGTHS)[0]
    for row in range(len(LENGTHS)):
        alone = encoder(waveform[row : row + 1], LENGTHS[row : row + 1])[0]
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


def gradients(encoder: WavLMEncoder, waveform: torch.Tensor) -> dict[str, torch.Tensor | None]:
    torch.manual_seed(2)
    encoder.train()(waveform, LENGTHS)[0].square().sum().backward()
    return {name: parameter.grad for name, parameter in encoder.named_parameters()}


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_all_but_the_stem_is_trained_at_every_step(norm: str, waveform: torch.Tensor) -> None:
    found = gradients(make(replace(TINY, norm=norm)), waveform)
    stem = {name for name in found if name.startswith("model.feature_extractor.")}
    assert stem
    assert {name for name, gradient in found.items() if gradient is None} == stem
    assert all(gradient is None or torch.isfinite(gradient).all() for gradient in found.values())


@pytest.mark.parametrize("norm", ["layer", "group"])
def test_layers_computed_again_have_the_same_gradients(norm: str, waveform: torch.Tensor) -> None:
    part = replace(TINY, norm=norm)
    torch.testing.assert_close(
        gradients(make(replace(part, gradient_checkpointing=True)), waveform), gradients(make(part), waveform)
    )


def test_mixed_precision_says_nearly_the_same(encoder: WavLMEncoder, waveform: torch.Tensor) -> None:
    with torch.no_grad():
        expected = encoder(waveform, LENGTHS)[0]
        with torch.autocast("cpu", torch.bfloat16):
            found = encoder(waveform, LENGTHS)[0]
    torch.testing.assert_close(found.float(), expected, atol=0.1, rtol=0)


def test_training_is_determined_by_the_seed(waveform: torch.Tensor) -> None:
    torch.testing.assert_close(gradients(make(), waveform), gradients(make(), waveform), atol=0, rtol=0)


@pytest.mark.parametrize(("name", "millions"), [("large", 315), ("published", 315), ("base", 94)])
def test_a_shipped_configuration_has_the_published_size(name: str, millions: int) -> None:
    part = config.load(CONFIGS / f"{name}.yaml").audio_encoder
    assert isinstance(part, WavLM)
    with torch.device("meta"):
        model = WavLMModel(wavlm_config(part))
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6) == millions


def test_a_local_folder_is_loaded(saved: Path) -> None:
    loaded = WavLMEncoder(replace(TINY, weights=str(saved)), RATE_HZ, pretrained=True)
    torch.testing.assert_close(loaded.state_dict(), make().state_dict(), atol=0, rtol=0)
    assert loaded.model.training


def test_without_pretrained_weights_none_are_looked_for() -> None:
    assert WavLMEncoder(replace(TINY, weights="/nowhere"), RATE_HZ, pretrained=False).width == TINY.width


def old_names(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """As the models on the hub were saved: an older weight norm, and the vector of SpecAugment."""
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    renamed = {"masked_spec_embed": torch.ones(32)}
    for name, tensor in tensors.items():
        for new, old in names.items():
            name = name.replace(new, old)
        renamed[name] = tensor
    return renamed


def test_the_published_names_of_the_weights_are_known(saved: Path) -> None:
    torch.save(old_names(load_file(saved / "model.safetensors")), saved / "pytorch_model.bin")
    (saved / "model.safetensors").unlink()
    loaded = WavLMEncoder(replace(TINY, weights=str(saved)), RATE_HZ, pretrained=True)
    torch.testing.assert_close(loaded.state_dict(), make().state_dict(), atol=0, rtol=0)


def test_safetensors_go_before_pickles(saved: Path) -> None:
    (saved / "pytorch_model.bin").write_bytes(b"damaged")
    loaded = WavLMEncoder(replace(TINY, weights=str(saved)), RATE_HZ, pretrained=True)
    torch.testing.assert_close(loaded.state_dict(), make().state_dict(), atol=0, rtol=0)


def drop_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["encoder.layers.1.final_layer_norm.bias"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def pickle_junk(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"junk")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "download it again"),
        (lambda folder: (folder / "model.safetensors").unlink(), "download it again"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"junk"), "download it again"),
        (pickle_junk, "download it again"),
        (drop_a_tensor, "lacks encoder.layers.1.final_layer_norm.bias"),
    ],
)
def test_a_damaged_folder_is_refused(damage: Callable[[Path], None], message: str, saved: Path) -> None:
    damage(saved)
    with pytest.raises(UsageError, match=message) as caught:
        WavLMEncoder(replace(TINY, weights=str(saved)), RATE_HZ, pretrained=True)
    assert str(saved) in str(caught.value)


def test_every_size_that_differs_is_named(saved: Path) -> None:
    part = replace(TINY, weights=str(saved), width=64, heads=8, norm="group", stem_width=8)
    with pytest.raises(UsageError) as caught:
        WavLMEncoder(part, RATE_HZ, pretrained=True)
    for text in ("width 32 where 64", "heads 4 where 8", "norm layer where group", "stem_width [16, 16"):
        assert text in str(caught.value)
    assert "layers" not in str(caught.value)


@pytest.mark.parametrize("weights", ["microsoft/wavlm-none", "wavlm-none"])
def test_without_a_network_the_command_to_run_elsewhere_is_named(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match=f"`hf download {weights} --local-dir DIR`.*set audio_encoder.weights"):
        WavLMEncoder(replace(TINY, weights=weights), RATE_HZ, pretrained=True)


def test_what_can_be_no_name_on_the_hub_is_no_folder_either() -> None:
    with pytest.raises(UsageError, match=r"audio_encoder\.weights: /no/such/folder is neither a path here"):
        WavLMEncoder(replace(TINY, weights="/no/such/folder"), RATE_HZ, pretrained=True)


def test_another_rate_is_refused() -> None:
    with pytest.raises(UsageError, match=r"sound\.rate_hz 8000: WavLM takes 16000"):
        WavLMEncoder(TINY, 8000, pretrained=False)


@pytest.mark.parametrize(("width", "heads"), [(40, 4), (32, 5)])
def test_a_width_that_cannot_be_divided_is_refused(width: int, heads: int) -> None:
    with pytest.raises(UsageError, match=f"audio_encoder.width {width}"):
        WavLMEncoder(replace(TINY, width=width, heads=heads), RATE_HZ, pretrained=False)


@pytest.mark.filterwarnings(
    # The exporter folds the buckets of the position bias with numpy, the logarithm of distance 0 among them.
    "ignore:divide by zero encountered in log:RuntimeWarning",
    "ignore:invalid value encountered in cast:RuntimeWarning",
)
def test_its_graph_says_what_torch_says(encoder: WavLMEncoder, waveform: torch.Tensor, tmp_path: Path) -> None:
    graph = Graph("audio_encoder", encoder, {"waveform": waveform, "length": LENGTHS}, ["tokens", "mask"])
    write_onnx(graph, tmp_path / "audio.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "audio.onnx", providers=["CPUExecutionProvider"])
    for rows in (slice(0, 1), slice(1, 3), slice(None)):
        tokens, mask = session.run(None, {"waveform": waveform[rows].numpy(), "length": LENGTHS[rows].numpy()})
        np.testing.assert_allclose(tokens, graph.expected["tokens"][rows], atol=1e-4)
        np.testing.assert_array_equal(mask, graph.expected["mask"][rows])
