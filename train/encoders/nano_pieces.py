"""The nano audio encoder in two graphs, so that a hop encodes the sound that is new in it.

What depends on the sound around a token alone is computed once for each piece of sound; the transformer layers, which
look at all tokens of a window, go before the fusion. The modules here share the weights of the encoder and the fusion,
by the same names.

Dimensions: B batch, S samples of a piece, M mel bands, Ta and Tv the tokens of a window, Da and Dv their widths.
"""

import torch
from torch import Tensor, nn

from edge.bundle.manifest import Frames, PieceSpec

from ..fusion import Fused, Fusion
from .log_mel import MEL_BANDS, MEMORY_FRAMES, OVERLAP_SAMPLES, STEP_SAMPLES, relative
from .nano_audio import TOKEN_SAMPLES, NanoAudioEncoder, in_context, voice_logits

SURROUNDINGS = 3
"""Tokens to either side of a token that the convolutions look at, the last of them in part."""
TOKEN_FRAMES = TOKEN_SAMPLES // STEP_SAMPLES
MEMORY = MEMORY_FRAMES // TOKEN_FRAMES
"""Tokens over which the running means are taken."""
FRESH = 7
"""Tokens of sound in a piece: those of half a second, and what the removal of the DC offset may still change."""
SEEN = 12
"""Tokens that the convolutions are given, the newest ones."""
PIECES = PieceSpec(
    tokens=FRESH,
    given=SEEN - SURROUNDINGS,
    unsettled=2,
    frames=Frames(before=MEMORY + SEEN - FRESH, width=TOKEN_FRAMES * MEL_BANDS, seen=SEEN, overlap=OVERLAP_SAMPLES),
)
"""Length of a piece and what it gives. A token needs its own 8 frames and the 12 after them, at which the convolutions
look, and 75 samples more: sound of two tokens after it."""


class PieceEncoder(nn.Module):
    """Encoder of a piece of a sound to local tokens, the piece's log-mel frames, and the probability of voice."""

    has_voice = True
    pieces = PIECES

    def __init__(self, encoder: NanoAudioEncoder) -> None:
        super().__init__()
        self.log_mel, self.stem = encoder.log_mel, encoder.stem
        self.project, self.voice_head = encoder.project, encoder.voice_head

    def forward(self, waveform: Tensor, end: Tensor, before: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens `[B, 12, Da]`, frames `[B, 7, 8 * M]` and P(voice) `[B, 12]`.

        The tokens are the newest 12 up to the piece's end: those of the whole sound, but for the newest two where it
        goes on, and the first three where it has begun before them. Where there is no sound they mean nothing.

        Args:
            waveform: float32 `[B, 75 + S + 75]`, the piece and the 75 samples on either side of it; zero where there is
                no sound.
            end: int64 `[B]`, samples after the piece begins at which the sound ends, negative where it ends before.
            before: float32 `[B, 17, 8 * M]`, frames of the tokens before the piece; zero where there is no sound.
            known: int64 `[B]`, number of the newest of those tokens that are sound, at least 5 unless tokens are not
                of interest.
        """
        with torch.autocast(waveform.device.type, enabled=False):
            fresh = self.log_mel.decades(waveform)
            decades = torch.cat([before.unflatten(2, (TOKEN_FRAMES, MEL_BANDS)).flatten(1, 2), fresh], dim=1)
            ahead = SEEN - FRESH
            spectrogram = relative(decades, (known - ahead) * TOKEN_FRAMES, end + ahead * TOKEN_SAMPLES)
        tokens = self.project(self.stem(spectrogram).flatten(1, 2).mT)
        return (
            tokens,
            fresh.unflatten(1, (-1, TOKEN_FRAMES)).flatten(2),
            voice_logits(self.voice_head, tokens).sigmoid(),
        )


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
