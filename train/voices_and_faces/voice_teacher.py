"""Teacher of the audio encoder: a speaker encoder taught on thousands of voices, which also tells how they speak.

The encoder is that of Resemblyzer (GE2E, Wan et al., ICASSP 2018; Apache-2.0), whose weights come inside its package.
A linear classifier on its description of a voice, of studio recordings alone, is right on more of the people and
languages it was not taught on than the audio encoder without a teacher.

Dimensions: F frames, M mel bands.
"""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution

import torch
from rich.progress import track
from torch import Tensor, nn
from transformers.audio_utils import mel_filter_bank

from edge.errors import UsageError
from edge.preprocess.media import Samples

from ..simulation.noise import to_level
from ..simulation.streams import Voice

RATE_HZ = 16000
MEL_BANDS, HIDDEN, LAYERS = 40, 256, 3
WINDOW_SAMPLES, HOP_SAMPLES = 400, 160
LEVEL_DBFS = -26.0
"""Level to which a recording is scaled: the teacher's mel bands are powers, not logarithms."""
WIDTH = 2 * HIDDEN
"""Width of a description."""
LARGEST = 4.0
"""Limit of a standardised description, in standard deviations."""


class VoiceTeacher:
    """Resemblyzer's LSTM; the package itself is not imported."""

    def __init__(self) -> None:
        try:
            path = distribution("resemblyzer").locate_file("resemblyzer/pretrained.pt")
        except PackageNotFoundError as error:
            raise UsageError(
                "voices are described by resemblyzer, which is not installed: pip install --no-deps resemblyzer==0.1.4 "
                "(or set the recipe's imitation to 0)"
            ) from error
        state = torch.load(str(path), map_location="cpu", weights_only=True)["model_state"]
        self._lstm = nn.LSTM(MEL_BANDS, HIDDEN, LAYERS, batch_first=True).eval()
        prefix = "lstm."
        self._lstm.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        bank = mel_filter_bank(
            WINDOW_SAMPLES // 2 + 1, MEL_BANDS, 0.0, RATE_HZ / 2, RATE_HZ, norm="slaney", mel_scale="slaney"
        )
        self._mel = torch.from_numpy(bank).float()

    @torch.no_grad()
    def describe(self, audio: Samples) -> Tensor:
        """Return mean and standard deviation of the hidden state over audio at 16 kHz, float32 `[512]`."""
        sound = torch.from_numpy(to_level(audio, LEVEL_DBFS)).clamp(-1, 1)
        window = torch.hann_window(WINDOW_SAMPLES)
        power = torch.stft(sound, WINDOW_SAMPLES, HOP_SAMPLES, window=window, return_complex=True).abs().square()
        hidden = self._lstm((power.T @ self._mel)[None])[0][0]
        return torch.cat([hidden.mean(dim=0), hidden.std(dim=0, correction=0)])


def describe(voices: Sequence[Voice]) -> Tensor:
    """Return standardised descriptions of voices, float32 `[N, 512]`, and show the progress."""
    teacher = VoiceTeacher()
    found = torch.stack([teacher.describe(voice.audio) for voice in track(voices, "describing voices")])
    centred = found - found.mean(dim=0)
    return (centred / (centred.square().mean(dim=0).sqrt() + 1e-6)).clamp(-LARGEST, LARGEST)
