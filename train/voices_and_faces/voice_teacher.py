"""Teacher of the audio encoder: a speaker encoder taught on thousands of voices, which also tells how they speak.

The encoder is that of Resemblyzer (GE2E, Wan et al., ICASSP 2018; Apache-2.0), whose weights come inside its package.
A linear classifier on its description of a voice, of studio recordings alone, is right on more of the people and
languages it was not taught on than the audio encoder without a teacher.

Dimensions: F frames, N voices, T moments.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from rich.progress import track
from torch import Tensor, nn
from transformers.audio_utils import mel_filter_bank

from edge.preprocess.media import Samples

from ..packages import file_of
from ..simulation.noise import to_level
from ..simulation.streams import Voice
from ..simulation.voice_activity import STEP

RATE_HZ = 16000
MEL_BANDS, HIDDEN, LAYERS = 40, 256, 3
WINDOW_SAMPLES, HOP_SAMPLES = 400, 160
LEVEL_DBFS = -26.0
"""Level to which a recording is scaled: the teacher's mel bands are powers, not logarithms."""
WIDTH = 2 * HIDDEN
"""Width of a description."""
STRIDE = 8
"""Steps of 1/64 s from one moment whose hidden state is kept to the next."""
LARGEST = 4.0
"""Limit of a standardised description, in standard deviations."""


class VoiceTeacher:
    """Resemblyzer's LSTM; the package itself is not imported."""

    def __init__(self) -> None:
        path = file_of(
            "resemblyzer",
            "resemblyzer/pretrained.pt",
            use="voices are described",
            remedy="pip install --no-deps resemblyzer==0.1.4 (or set the recipe's imitation to 0)",
        )
        state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        self._lstm = nn.LSTM(MEL_BANDS, HIDDEN, LAYERS, batch_first=True).eval()
        prefix = "lstm."
        self._lstm.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        bank = mel_filter_bank(
            WINDOW_SAMPLES // 2 + 1, MEL_BANDS, 0.0, RATE_HZ / 2, RATE_HZ, norm="slaney", mel_scale="slaney"
        )
        self._mel = torch.from_numpy(bank).float()

    @torch.no_grad()
    def hidden(self, audio: Samples) -> Tensor:
        """Return the hidden state at every 10 ms of audio at 16 kHz, float32 `[F, 256]`."""
        sound = torch.from_numpy(to_level(audio, LEVEL_DBFS)).clamp(-1, 1)
        window = torch.hann_window(WINDOW_SAMPLES)
        power = torch.stft(sound, WINDOW_SAMPLES, HOP_SAMPLES, window=window, return_complex=True).abs().square()
        found: Tensor = self._lstm((power.T @ self._mel)[None])[0][0]
        return found


class Descriptions(NamedTuple):
    """Descriptions of voices by the teacher, each column standardised, as distances from the mean of the same speaker.

    A speaker encoder tells speakers first of all; from the few of a corpus of emotions nobody could learn that.
    """

    voices: Tensor
    """Mean and standard deviation of the hidden state over each voice, float32 `[N, 512]`."""
    moments: Tensor
    """Hidden state at every eighth of the steps of all voices, one after another, float32 `[T, 256]`."""

    def at(self, moments: Tensor) -> Tensor:
        """Return the hidden states nearest to steps int64 `[...]` of the voices, float32 `[..., 256]`."""
        return self.moments[(moments // STRIDE).clamp(0, len(self.moments) - 1)]


def describe(voices: Sequence[Voice], speakers: Sequence[str]) -> Descriptions:
    """Describe the voices of some speakers, their steps numbered one voice after another, and show the progress."""
    teacher = VoiceTeacher()
    numbers = {name: number for number, name in enumerate(dict.fromkeys(speakers))}
    of_voices = torch.tensor([numbers[name] for name in speakers])
    pooled, states = [], []
    for voice in track(voices, "describing voices"):
        hidden = teacher.hidden(voice.audio)
        pooled.append(torch.cat([hidden.mean(dim=0), hidden.std(dim=0, correction=0)]))
        kept = torch.from_numpy(voice.moments) % STRIDE == STRIDE // 2
        places = (torch.arange(len(kept))[kept] + 0.5) * (STEP / HOP_SAMPLES)
        states.append(hidden[places.round().long().clamp(max=len(hidden) - 1)])
    of_moments = of_voices.repeat_interleave(torch.tensor([len(each) for each in states]))
    return Descriptions(standardised(torch.stack(pooled), of_voices), standardised(torch.cat(states), of_moments))


def standardised(columns: Tensor, groups: Tensor) -> Tensor:
    """Return columns `[N, D]` with a mean of zero in each of the groups int64 `[N]` and a deviation of one, clamped."""
    sums = columns.new_zeros(int(groups.max()) + 1, columns.shape[1]).index_add(0, groups, columns)
    centred = columns - (sums / groups.bincount()[:, None])[groups]
    return (centred / (centred.square().mean(dim=0).sqrt() + 1e-6)).clamp(-LARGEST, LARGEST)
