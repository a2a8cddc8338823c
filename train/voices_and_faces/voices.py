"""Voices for the audio encoder: decoded by the runtime's code, with their voice activity, cut into simulated windows.

Dimensions: B batch, S samples.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from edge.sources.media import read_audio

from ..corpora.utterance import Utterance
from ..simulation.noise import Beds, Draw
from ..simulation.streams import NOWHERE, Voice, recording, simulate
from ..simulation.voice_activity import STEP, VoiceActivity

STUDIO_CORPORA = ("ravdess", "emodb", "nemo", "emovo")
"""Corpora recorded without noise, where whatever is loud is voice."""


class Windows(NamedTuple):
    """Batch of windows of sound."""

    waveform: Tensor
    """float32 `[B, S]`, zero-padded."""
    length: Tensor
    """int64 `[B]`."""
    activity: Tensor
    """Share of voice in each step, float32 `[B, S / 250]`."""
    moments: Tensor
    """Number of each step among those of the fold's recordings, -1 where none is heard, int64 `[B, S / 250]`."""


def load(utterances: Sequence[Utterance], rate_hz: int) -> list[Voice]:
    """Decode each recording's audio, float32 mono, find where the voice is, and show the progress.

    Their steps are numbered one recording after another.
    """
    detector = VoiceActivity()
    found: list[Voice] = []
    first = 0
    for utterance in track(utterances, "decoding voices"):
        audio = read_audio(utterance.path, rate_hz)
        found.append(recording(audio, detector.voice(audio, utterance.corpus in STUDIO_CORPORA), first))
        first += len(found[-1].activity)
    return found


def companions(utterances: Sequence[Utterance]) -> list[list[int]]:
    """Return, for each utterance, the indices of those of its speaker and label, its own among them.

    Utterances of one speaker and label have one list in common.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for index, utterance in enumerate(utterances):
        groups.setdefault((utterance.speaker, utterance.label), []).append(index)
    return [groups[utterance.speaker, utterance.label] for utterance in utterances]


class Simulator:
    """Source of simulated windows of a fold's voices."""

    def __init__(self, utterances: Sequence[Utterance], voices: Sequence[Voice], beds: Beds, rate_hz: int) -> None:
        self._voices, self._beds, self._rate_hz = voices, beds, rate_hz
        self._companions = companions(utterances)

    def windows(self, indices: Sequence[int], samples: int, rng: Draw) -> Windows:
        """Return a window of `samples` samples of each of the voices of some indices."""
        simulated = [simulate(self._spoken(index), self._beds, samples, self._rate_hz, rng) for index in indices]
        return Windows(
            torch.from_numpy(np.stack([window.samples for window in simulated])),
            torch.full((len(simulated),), samples),
            torch.from_numpy(np.stack([window.activity for window in simulated])),
            torch.from_numpy(np.stack([window.moments for window in simulated])).long(),
        )

    def _spoken(self, index: int) -> list[Voice]:
        """Return a voice and, after it, the others of its speaker and label."""
        return [self._voices[k] for k in (index, *(other for other in self._companions[index] if other != index))]


def pad(voices: Sequence[Voice], samples: int) -> Windows:
    """Return the last `samples` of each voice as it was recorded, at the begin of the window, zero-padded."""
    waveform = np.zeros((len(voices), samples), dtype=np.float32)
    activity = np.zeros((len(voices), -(-samples // STEP)), dtype=np.float32)
    moments = np.full(activity.shape, NOWHERE)
    lengths = []
    for row, voice in enumerate(voices):
        kept = voice.audio[-samples:]
        waveform[row, : len(kept)] = kept
        steps = min(len(voice.activity), activity.shape[1])
        activity[row, :steps], moments[row, :steps] = voice.activity[-steps:], voice.moments[-steps:]
        lengths.append(len(kept))
    return Windows(*map(torch.from_numpy, (waveform, np.array(lengths), activity, moments)))


def seeded(generator: torch.Generator) -> Draw:
    """Return a generator of numpy's whose seed is drawn from one of torch's."""
    return np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
