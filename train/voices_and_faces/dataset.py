"""Dataset of a configuration: its recordings by fold, split by speaker, decoded and cropped."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import sampling
from ..config import Config, voices_and_faces
from ..corpora import fer2013
from ..corpora.check import select_usable
from ..corpora.registry import VOICES
from ..corpora.utterance import Utterance
from . import faces, voices
from .folds import split


class Dataset:
    """Recordings of a configuration, decoded on first use.

    UsageError if files are damaged, missing, silent or copied, unless `skip_damaged`: then these are printed and left
    out.
    """

    def __init__(self, config: Config, root: Path, skip_damaged: bool = False) -> None:
        self._config, chosen = config, voices_and_faces(config)
        train, held_out = fer2013.load(root)
        self.faces = {"train": train, "validation": held_out[::2], "test": held_out[1::2]}
        found = [
            voice
            for corpus in chosen.voices
            for voice in select_usable(
                VOICES[corpus].utterances(root), one_track_is_enough=False, skip_damaged=skip_damaged
            )
        ]
        folds = split(found, chosen.validation_speakers, chosen.test_speakers)
        self.voices: dict[str, list[Utterance]] = folds._asdict()
        self._waveforms: dict[str, list[np.ndarray]] = {}

    def labelled_faces(self, fold: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the faces that most raters call one of the labels: uint8 `[N, 48, 48]` and labels int64 `[N]`."""
        labels = fer2013.classes(self.faces[fold].majority, self._config.labels)
        kept = labels != fer2013.NONE
        return self.faces[fold].images[kept], labels[kept]

    def crops(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return the labelled faces' crops uint8 `[N, H, W]` and labels int64 `[N]` of a fold."""
        images, labels = self.labelled_faces(fold)
        return faces.crops(images, self._config.video), torch.from_numpy(labels)

    def waveforms(self, fold: str) -> tuple[list[np.ndarray], Tensor]:
        """Return the waveforms float32 and labels int64 `[N]` of a fold."""
        if fold not in self._waveforms:
            self._waveforms[fold] = voices.load(self.voices[fold], self._config.audio.rate_hz)
        return self._waveforms[fold], self._voice_labels(fold)

    def voice_weights(self) -> Tensor:
        """Return the weights float64 `[N]` with which training voices are drawn."""
        corpora = [voice.corpus for voice in self.voices["train"]]
        return sampling.corpus_weights(self._voice_labels("train"), corpora, voices_and_faces(self._config).voices)

    def _voice_labels(self, fold: str) -> Tensor:
        return torch.tensor([self._config.labels.index(voice.label) for voice in self.voices[fold]])
