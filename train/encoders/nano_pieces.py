"""The nano audio encoder in two graphs, so that a hop encodes the sound that is new in it.

What depends on the sound around a token alone is computed once for each piece of sound; the transformer layers, which
look at all tokens of a window, go before the fusion. The modules here share the weights of the encoder and the fusion,
by the same names.

Dimensions: B batch, S samples of a piece, Tp the tokens that it gives, Ta and Tv the tokens of a window, Da and Dv
their widths.
"""

import torch
from torch import Tensor, nn

from edge.bundle.manifest import PieceSpec

from ..fusion import Fused, Fusion
from .log_mel import MEMORY_FRAMES, STEP_SAMPLES, frame_mask
from .nano_audio import TOKEN_SAMPLES, NanoAudioEncoder, in_context, voice_logits
from .nano_image import ResidualBlock

SURROUNDINGS = 3
"""Tokens to either side of a token that the convolutions look at, the last of them in part."""
PAST = MEMORY_FRAMES * STEP_SAMPLES // TOKEN_SAMPLES
"""Tokens over which the running means are taken."""
PIECES = PieceSpec(tokens=2 * PAST, given=PAST - SURROUNDINGS, unsettled=2)
"""Length of a piece and what it gives. A token needs its own 8 frames and the 12 after them, at which the convolutions
look, and 75 samples more: sound of two tokens after it."""


class PieceEncoder(nn.Module):
    """Encoder of a piece of a sound to the piece's newest local tokens and their probability of voice."""

    has_voice = True
    pieces = PIECES

    def __init__(self, encoder: NanoAudioEncoder) -> None:
        super().__init__()
        self.log_mel, self.stem = encoder.log_mel, encoder.stem
        self.project, self.voice_head = encoder.project, encoder.voice_head

    def forward(self, waveform: Tensor, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """Map float32 `[B, S]`, int64 `[B]` each to tokens `[B, Tp, Da]` and P(voice) `[B, Tp]`.

        The sound begins at `begin`, a multiple of 2,000, or goes on before the piece where that is 0; it ends at
        `end`. Outside of it the waveform must be zero. The tokens are those of the whole sound, but for the newest two
        where it goes on; what is given where there is no sound means nothing.
        """
        with torch.autocast(waveform.device.type, enabled=False):
            spectrogram = self.log_mel.newest(waveform, begin, end)
        frames = PIECES.tokens * TOKEN_SAMPLES // STEP_SAMPLES
        has_begun = ~frame_mask(frames, STEP_SAMPLES, begin)[:, None, None, MEMORY_FRAMES:]
        tokens = self.project(masked_stem(self.stem, spectrogram, has_begun)[..., -PIECES.given :].flatten(1, 2).mT)
        return tokens, voice_logits(self.voice_head, tokens).sigmoid()


def masked_stem(stem: nn.Sequential, spectrogram: Tensor, has_begun: Tensor) -> Tensor:
    """Return the stem's output for `[B, 2, M, F]`; each convolution finds zeros before the sound, bool `[B, 1, 1, F]`.

    So it does where a waveform begins with the sound, since its padding is zero.
    """
    mask = has_begun[..., ::2]
    x = stem[:3](spectrogram) * mask
    for block in stem[3:]:
        assert isinstance(block, ResidualBlock), "the rest of the stem"
        mask = mask[..., ::2]
        inner = block.body[:3](x) * mask
        x = torch.relu(block.body[3:](inner) + block.shortcut(x)) * mask
    return x


class ContextFusion(nn.Module):
    """Fusion of local tokens: the audio encoder's transformer layers, then Foal-Net's fusion."""

    def __init__(self, encoder: NanoAudioEncoder, fusion: Fusion) -> None:
        super().__init__()
        self.layers, self.norm, self.fusion = encoder.layers, encoder.norm, fusion

    def forward(self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor) -> Fused:
        """Map local `[B, Ta, Da]`, bool `[B, Ta]`, `[B, Tv, Dv]`, bool `[B, Tv]` to `Fused`."""
        tokens = in_context(self.layers, self.norm, audio_tokens, audio_mask)
        fused: Fused = self.fusion(tokens, audio_mask, video_tokens, video_mask)
        return fused
