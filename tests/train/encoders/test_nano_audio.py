"""The nano audio encoder: its tokens and its voice depend on the sound and on nothing else."""

import pytest
import torch
from torch import nn

from train.encoders.nano_audio import (
    BAND_MASKS,
    TOKEN_SAMPLES,
    NanoAudioEncoder,
    TransformerLayer,
    keep,
    mask_spectrogram,
)

WIDTH, SAMPLES = 16, 20_000
TOKENS = SAMPLES // 2000
LENGTHS = torch.tensor([SAMPLES, 7000, 2000, 0])


@pytest.fixture(scope="module")
def encoder() -> NanoAudioEncoder:
    """Normalised by drawn statistics, so that padding is not zero after a norm."""
    torch.manual_seed(0)
    made = NanoAudioEncoder(WIDTH, 16_000)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return made.eval()


@pytest.fixture(scope="module")
def waveform() -> torch.Tensor:
    """Zero past the lengths."""
    noise = torch.randn(4, SAMPLES, generator=torch.Generator().manual_seed(1)) / 8
    return noise * (torch.arange(SAMPLES) < LENGTHS[:, None])


@torch.no_grad()
def test_a_token_counts_where_it_begins_before_the_end(encoder: NanoAudioEncoder, waveform: torch.Tensor) -> None:
    tokens, mask, voice = encoder(waveform, LENGTHS)
    assert tokens.shape == (4, TOKENS, WIDTH)
    assert mask.sum(dim=1).tolist() == [10, 4, 1, 0]
    assert not tokens[~mask].any()
    assert tokens[mask].any(dim=1).all()
    assert voice.shape == (4, TOKENS)
    assert not voice[~mask].any()
    assert ((voice[mask] > 0) & (voice[mask] < 1)).all()


@torch.no_grad()
def test_a_window_of_6_s_has_48_tokens_and_silence_is_finite(encoder: NanoAudioEncoder) -> None:
    for length in (96_000, 0):
        tokens, mask, voice = encoder(torch.zeros(1, 96_000), torch.tensor([length]))
        assert tokens.shape[1] == mask.shape[1] == voice.shape[1] == 48
        assert torch.isfinite(tokens).all()
        assert torch.isfinite(voice).all()


@pytest.mark.parametrize("shift", [1, 3, 8])
@torch.no_grad()
def test_a_local_token_is_the_same_in_every_window_that_holds_its_surroundings(
    encoder: NanoAudioEncoder, shift: int
) -> None:
    """A token sees 19 frames to each side, each of them the 96 before it: 15 tokens before it and 3 after it."""
    sound = torch.randn(1, 80_000, generator=torch.Generator().manual_seed(2)) / 8
    whole, _ = encoder.local_tokens(sound, torch.tensor([80_000]))
    later, _ = encoder.local_tokens(sound[:, shift * TOKEN_SAMPLES :], torch.tensor([80_000]))
    found, expected = later[:, 15:-3], whole[:, 15 + shift : -3]
    assert found.shape[1] == 22 - shift
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(encoder.voice_logits(found), encoder.voice_logits(expected), atol=1e-4, rtol=0)
    assert (later[:, 0] - whole[:, shift]).abs().max() > 1e-3, "without its surroundings it is another one"


@torch.no_grad()
def test_a_local_token_does_not_know_what_is_far_from_it(encoder: NanoAudioEncoder) -> None:
    sound = torch.randn(1, 80_000, generator=torch.Generator().manual_seed(3)) / 8
    other = sound.clone()
    other[:, 40_000:42_000] = 0
    length = torch.tensor([80_000])
    one, two = encoder.local_tokens(sound, length)[0], encoder.local_tokens(other, length)[0]
    differing = (one - two).abs().amax(dim=2)[0] > 1e-6
    assert differing[20]
    assert not differing[: 20 - 3].any()
    assert not differing[20 + 16 :].any()


@torch.no_grad()
def test_voice_is_the_probability_of_the_local_tokens(encoder: NanoAudioEncoder, waveform: torch.Tensor) -> None:
    tokens, mask = encoder.local_tokens(waveform, LENGTHS)
    expected = 1 / (1 + torch.exp(-encoder.voice_head(tokens)[:, :, 0]))
    torch.testing.assert_close(encoder.voice(tokens, mask), expected * mask, atol=1e-6, rtol=0)
    torch.testing.assert_close(encoder(waveform, LENGTHS)[2], encoder.voice(tokens, mask), atol=0, rtol=0)
    torch.testing.assert_close(encoder(waveform, LENGTHS)[0], encoder.in_context(tokens, mask), atol=0, rtol=0)


@pytest.mark.parametrize("gain", [0.05, 3.0])
@torch.no_grad()
def test_gain_does_not_matter(encoder: NanoAudioEncoder, waveform: torch.Tensor, gain: float) -> None:
    found, expected = encoder(gain * waveform, LENGTHS)[0], encoder(waveform, LENGTHS)[0]
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)


@torch.no_grad()
def test_a_row_is_the_same_alone_and_in_a_batch(encoder: NanoAudioEncoder, waveform: torch.Tensor) -> None:
    together = encoder(waveform, LENGTHS)[0]
    for row in range(4):
        alone = encoder(waveform[row : row + 1], LENGTHS[row : row + 1])[0]
        torch.testing.assert_close(alone[0], together[row], atol=1e-4, rtol=0)


@torch.no_grad()
def test_a_transformer_layer_is_torchs_own_pre_norm_layer() -> None:
    torch.manual_seed(0)
    layer = TransformerLayer(WIDTH, 4, dropout=0.1).eval()
    own = nn.TransformerEncoderLayer(WIDTH, 4, 2 * WIDTH, activation="gelu", batch_first=True, norm_first=True).eval()
    state, attention = layer.state_dict(), layer.attention
    own.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat(
                [part.weight for part in (attention.w_q, attention.w_k, attention.w_v)]
            ),
            "self_attn.in_proj_bias": torch.cat([part.bias for part in (attention.w_q, attention.w_k, attention.w_v)]),
            **{f"self_attn.out_proj.{name}": state[f"attention.w_concat.{name}"] for name in ("weight", "bias")},
            **{f"norm1.{name}": state[f"attention_norm.{name}"] for name in ("weight", "bias")},
            **{f"norm2.{name}": state[f"feed_forward.0.{name}"] for name in ("weight", "bias")},
            **{f"linear1.{name}": state[f"feed_forward.1.{name}"] for name in ("weight", "bias")},
            **{f"linear2.{name}": state[f"feed_forward.4.{name}"] for name in ("weight", "bias")},
        }
    )
    tokens, mask = torch.randn(2, 7, WIDTH), torch.tensor([[True] * 7, [True] * 3 + [False] * 4])
    expected = own(tokens, src_key_padding_mask=~mask)
    torch.testing.assert_close(layer(tokens, mask)[mask], expected[mask], atol=1e-5, rtol=0)


def test_bands_and_stretches_of_a_masked_spectrogram_are_gone() -> None:
    torch.manual_seed(0)
    hidden = mask_spectrogram(torch.full((32, 2, 64, 100), 5.0)) == 0
    gone = hidden[:, 0]
    assert torch.equal(gone, hidden[:, 1])
    hidden_bands, hidden_frames = gone.all(dim=2), gone.all(dim=1)
    assert torch.equal(gone, hidden_bands[:, :, None] | hidden_frames[:, None])
    assert hidden_bands.any()
    assert hidden_frames.any()


def test_nothing_is_varied_in_evaluation() -> None:
    encoder, waveform, length = NanoAudioEncoder(WIDTH, 16000).eval(), torch.randn(1, 12_000), torch.tensor([12_000])
    assert torch.equal(encoder(waveform, length)[0], encoder(waveform, length)[0])


def test_the_runs_that_are_hidden_are_few_and_short() -> None:
    torch.manual_seed(0)
    hidden = ~keep(2000, 64, *BAND_MASKS)
    runs = hidden.int().diff(dim=1, prepend=torch.zeros(2000, 1)).eq(1).sum(dim=1)
    assert runs.max() == BAND_MASKS[0]
    assert hidden.sum(dim=1).max() <= BAND_MASKS[0] * BAND_MASKS[1]
    assert hidden.any(dim=0).all()
