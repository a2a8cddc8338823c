"""Construction of the encoders that a configuration names."""

from torch import nn

from ..config import Clip, Config, NanoAudio, NanoImage, WavLM


def audio_encoder(config: Config, *, pretrained: bool) -> nn.Module:
    """Build the audio encoder: waveform float32 `[B, S]`, length int64 `[B]` -> `[B, Ta, Da]`, mask bool `[B, Ta]`.

    Without `pretrained` its weights are random, to be replaced by those of a checkpoint.
    """
    match config.audio_encoder:
        case NanoAudio(width=width):
            from .nano_audio import NanoAudioEncoder

            return NanoAudioEncoder(width, config.audio.rate_hz)
        case WavLM() as part:
            # Imported where it is needed: transformers takes seconds.
            from .wavlm import WavLMEncoder

            return WavLMEncoder(part, config.audio.rate_hz, pretrained=pretrained)


def image_encoder(config: Config, *, pretrained: bool) -> nn.Module:
    """Build the image encoder: frames uint8 `[N, H, W, 3]` RGB -> embedding `[N, Dv]`.

    Without `pretrained` its weights are random, to be replaced by those of a checkpoint.
    """
    match config.image_encoder:
        case NanoImage(width=width):
            from .nano_image import NanoImageEncoder

            return NanoImageEncoder(width)
        case Clip() as part:
            # Imported where it is needed: open_clip takes seconds, too.
            from .clip import ClipImageEncoder

            return ClipImageEncoder(part, config.video.height, config.video.width, pretrained=pretrained)
