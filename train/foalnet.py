"""Foal-Net (Li et al., Interspeech 2024): an audio encoder, an image encoder, and the fusion of both.

Dimensions: B batch, S samples, H and W height and width, Ta/Tv audio/video tokens, Da/Dv their widths.
"""

from torch import Tensor, nn

from edge.bundle.manifest import GraphName

from .encoders.nano_audio import NanoAudioEncoder
from .encoders.nano_pieces import ContextFusion, PieceEncoder
from .fusion import Fused, Fusion


class FoalNet(nn.Module):
    """Encoders and fusion; either encoder may be None if only `fuse` is used."""

    def __init__(self, audio_encoder: nn.Module | None, image_encoder: nn.Module | None, fusion: Fusion) -> None:
        super().__init__()
        self.audio_encoder, self.image_encoder, self.fusion = audio_encoder, image_encoder, fusion

    def forward(self, frames: Tensor, frame_mask: Tensor, waveform: Tensor, length: Tensor) -> Fused:
        """Map uint8 `[B, Tv, H, W, 3]`, bool `[B, Tv]`, float32 `[B, S]`, int64 `[B]` to `Fused`."""
        assert self.audio_encoder is not None, "no audio encoder"
        assert self.image_encoder is not None, "no image encoder"
        audio_tokens, audio_mask = self.audio_encoder(waveform, length)[:2]
        video_tokens = self.image_encoder(frames.flatten(0, 1)).unflatten(0, frame_mask.shape)
        return self.fuse(audio_tokens, audio_mask, video_tokens, frame_mask)

    def fuse(self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor) -> Fused:
        """Run the fusion alone: `[B, Ta, Da]`, `[B, Ta]`, `[B, Tv, Dv]`, `[B, Tv]` -> `Fused`."""
        fused: Fused = self.fusion(audio_tokens, audio_mask, video_tokens, video_mask)
        return fused


def graph_modules(model: FoalNet, *, pieces: bool | None = None) -> dict[GraphName, nn.Module]:
    """Return the module of each graph of a bundle, with the weights of a whole model.

    With `pieces` the audio encoder takes pieces of a sound, without them whole windows; by default a nano encoder takes
    pieces, and others do not.
    """
    image_encoder, audio_encoder, fusion = model.image_encoder, model.audio_encoder, model.fusion
    assert image_encoder is not None, "a whole model"
    assert audio_encoder is not None, "a whole model"
    if isinstance(audio_encoder, NanoAudioEncoder) and pieces is not False:
        return {
            "image_encoder": image_encoder,
            "audio_encoder": PieceEncoder(audio_encoder).train(model.training),
            "fusion": ContextFusion(audio_encoder, fusion).train(model.training),
        }
    return {"image_encoder": image_encoder, "audio_encoder": audio_encoder, "fusion": fusion}
