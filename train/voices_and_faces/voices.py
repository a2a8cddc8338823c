"""Voices for the audio encoder: decoded by the runtime's code, augmented in training.

Dimensions: B batch, S samples.
"""

from collections.abc import Sequence

import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from torch.nn.functional import interpolate

from edge.sources.media import read_audio

from ..corpora.utterance import Utterance
from .draws import uniform

SPEEDS = (0.9, 1.1)
"""Range of playback speeds, which move pitch and formants a little, too."""
SHORTEST_SHARE = 0.7
"""Smallest share of a recording that a random cut leaves: live windows begin and end in the middle of speech."""
SHORTEST_S = 1.0
LONGEST_LEAD_S = 0.8
"""Longest near-silence before the voice."""
NOISE_DB = (-55.0, -20.0)
"""Level of white noise, relative to the voice's own."""
GAIN_DB = (-12.0, 6.0)


def load(voices: Sequence[Utterance], rate_hz: int) -> list[np.ndarray]:
    """Decode each recording's audio, float32 mono, and show the progress."""
    return [read_audio(voice.path, rate_hz) for voice in track(voices, "decoding voices")]


def pad(waveforms: Sequence[np.ndarray], samples: int) -> tuple[Tensor, Tensor]:
    """Return the first `samples` of each waveform, float32 `[B, samples]`, zero-padded, and int64 lengths `[B]`."""
    batch = np.zeros((len(waveforms), samples), dtype=np.float32)
    for row, audio in zip(batch, waveforms, strict=True):
        row[: len(audio)] = audio[:samples]
    lengths = [min(len(audio), samples) for audio in waveforms]
    return torch.from_numpy(batch), torch.tensor(lengths)


def augment(audio: np.ndarray, rate_hz: int, generator: torch.Generator) -> np.ndarray:
    """Augment a waveform: change the speed, cut, prepend near-silence, add noise, change the level; float32."""
    x = torch.from_numpy(audio)
    x = interpolate(x[None, None], scale_factor=draw(*SPEEDS, generator), mode="linear", align_corners=False)[0, 0]
    kept = max(int(len(x) * draw(SHORTEST_SHARE, 1.0, generator)), min(len(x), int(SHORTEST_S * rate_hz)))
    start = int(draw(0, 1, generator) * (len(x) - kept))
    x = x[start : start + kept]
    level = x.square().mean().sqrt()
    lead = torch.zeros(int(max(0.0, draw(-LONGEST_LEAD_S, LONGEST_LEAD_S, generator)) * rate_hz))
    x = torch.cat([lead, x])
    x = x + torch.randn(len(x), generator=generator) * level * 10 ** (draw(*NOISE_DB, generator) / 20)
    return (x * 10 ** (draw(*GAIN_DB, generator) / 20)).clamp(-1, 1).numpy()


def draw(low: float, high: float, generator: torch.Generator) -> float:
    """Draw one uniform random number."""
    return uniform((), low, high, generator).item()
