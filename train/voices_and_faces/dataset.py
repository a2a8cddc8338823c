"""Dataset of a configuration: its recordings by fold, split by speaker, decoded and cropped."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from edge.errors import UsageError
from edge.sources.media import read_audio

from .. import sampling
from ..config import Config, voices_and_faces
from ..corpora import fer2013, noises
from ..corpora.check import select_usable
from ..corpora.registry import VOICES
from ..corpora.utterance import Utterance
from ..simulation.noise import Beds
from . import faces, voices
from .audio_stage import LabelledVoices
from .folds import by_speaker, split
from .image_stage import targets


class Dataset:
    """Recordings of a configuration, decoded on first use.

    UsageError if files are damaged, missing, silent or copied, unless `skip_damaged`: then these are printed and left
    out.
    """

    def __init__(self, config: Config, root: Path, skip_damaged: bool = False) -> None:
        self._config, chosen = config, voices_and_faces(config)
        for name in chosen.voices:
            if name not in VOICES:
                raise UsageError(f"recipe.voices: no corpus of voices is named {name}; there are {', '.join(VOICES)}")
        listed = {name: VOICES[name].utterances(root) for name in chosen.voices}
        speakers = chosen.validation_speakers, chosen.test_speakers
        by_speaker([voice for corpus in listed.values() for voice in corpus], *speakers)  # before anything is decoded
        fer2013.columns(config.labels)
        train, held_out = fer2013.load(root)
        self.faces = {"train": train, "validation": held_out[::2], "test": held_out[1::2]}
        found = [
            voice
            for corpus in listed.values()
            for voice in select_usable(corpus, one_track_is_enough=False, skip_damaged=skip_damaged)
        ]
        folds = split(found, *speakers)
        self.voices: dict[str, list[Utterance]] = {
            "train": folds.train,
            "validation": [voice for voice in folds.validation if voice.label in config.labels],
            "test": [voice for voice in folds.test if voice.label in config.labels],
        }
        others = {voice.label for voice in folds.train} - set(config.labels)
        self.classes = [*config.labels, *sorted(others)]
        """The configuration's labels, then the other classes of the training voices."""
        if unheard := sorted(set(config.labels) - {voice.label for voice in folds.train}):
            raise UsageError(
                f"no voice that is trained on has the label {unheard[0]!r} that {config.name} lists, only "
                f"{', '.join(sorted({voice.label for voice in folds.train}))}; correct the labels, or add a corpus"
            )
        self._root = root
        self._labelled: dict[str, LabelledVoices] = {}

    def labelled_faces(self, fold: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the faces that most raters call one of the labels: uint8 `[N, 48, 48]` and labels int64 `[N]`."""
        labels = fer2013.classes(self.faces[fold].majority, self._config.labels)
        kept = labels != fer2013.NONE
        return self.faces[fold].images[kept], labels[kept]

    def crops(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return the labelled faces' crops uint8 `[N, H, W]` and one-hot labels float32 `[N, C]` of a fold."""
        images, labels = self.labelled_faces(fold)
        shares = one_hot(torch.from_numpy(labels), len(self._config.labels)).float()
        return faces.crops(images, self._config.video), shares

    def rated_crops(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return crops uint8 `[N, H, W]`, ambiguous ones too, and each label's share of their raters `[N, C]`.

        Left out is a face that most of its raters call something else.
        """
        found = self.faces[fold]
        shares = targets(found, voices_and_faces(self._config).first_label_share)[
            :, fer2013.columns(self._config.labels)
        ]
        kept = shares.sum(dim=1) > 0.5
        return faces.crops(found.images[kept.numpy()], self._config.video), shares[kept]

    def labelled_voices(self, fold: str) -> LabelledVoices:
        """Return the voices of a fold: of all classes for training, of the configuration's labels otherwise."""
        if fold not in self._labelled:
            rate_hz, utterances = self._config.audio.rate_hz, self.voices[fold]
            recordings = voices.load(utterances, rate_hz)
            recorded = [read_audio(path, rate_hz) for path in noises.beds(self._root, is_training=fold == "train")]
            audio = [voice.audio for voice in recordings]
            beds = Beds(recorded, audio, rate_hz, np.random.default_rng(self._config.seed))
            simulator = voices.Simulator(utterances, recordings, beds, rate_hz)
            labels = torch.tensor([self.classes.index(voice.label) for voice in utterances])
            self._labelled[fold] = LabelledVoices(
                recordings, labels, [voice.speaker for voice in utterances], simulator
            )
        return self._labelled[fold]

    def voice_weights(self, *, all_classes: bool) -> Tensor:
        """Return the weights float64 `[N]` with which training voices are drawn, of all classes or of the labels."""
        drawn = [voice for voice in self.voices["train"] if all_classes or voice.label in self._config.labels]
        corpora = [voice.corpus for voice in drawn]
        labels = torch.tensor([self.classes.index(voice.label) for voice in drawn])
        return sampling.corpus_weights(labels, corpora, voices_and_faces(self._config).voices)
