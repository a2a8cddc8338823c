"""Nano audio encoder that is not trained, with the runtime's judgement of a window by its voice.

Dimensions: B windows, S samples, Ta tokens, Da their width.
"""

import torch
from torch import Tensor, nn

from ..config import Config
from ..encoders.nano_audio import NanoAudioEncoder
from ..voices_and_faces.tokens import has_enough_voice


class FrozenAudioEncoder(nn.Module):
    """Audio encoder whose weights stay as they are; a window with too little voice has no tokens, as in the runtime."""

    def __init__(self, config: Config, encoder: NanoAudioEncoder) -> None:
        super().__init__()
        self.config, self.encoder = config, encoder.requires_grad_(False)

    def train(self, mode: bool = True) -> "FrozenAudioEncoder":
        """Stay in evaluation mode, whatever the rest of the network is in."""
        super().train(False)
        return self

    @torch.no_grad()
    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Map float32 `[B, S]`, int64 `[B]` to tokens `[B, Ta, Da]` and mask bool `[B, Ta]`, in fp32 as the runtime."""
        with torch.autocast(waveform.device.type, enabled=False):
            tokens, mask, voice = self.encoder(waveform, length)
        is_heard = has_enough_voice(self.config, voice.cpu(), mask.cpu())
        return tokens, mask & is_heard.to(mask.device)[:, None]
