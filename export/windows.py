"""Real windows of a checkpoint's own corpora, for the calibration and the comparison of lower precisions.

Every third window has audio alone, every third video alone, as live windows may.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from edge.errors import UsageError
from edge.preprocess.images import Image
from edge.preprocess.media import Samples
from edge.sources.media import read_audio
from train.clips.decode import decode_audio
from train.clips.speaker import speaker_crops
from train.clips.split import folds, split
from train.config import Clips, Config
from train.corpora import registry
from train.corpora.utterance import Utterance
from train.voices_and_faces.dataset import Dataset
from train.voices_and_faces.faces import crops, rgb
from train.voices_and_faces.fusion_stage import pair

Fold = Literal["train", "validation"]


class Window(NamedTuple):
    """Labelled window, as the runtime has it before the encoders."""

    samples: Samples
    """float32 `[n]`, n <= S; empty without audio."""
    crops: Sequence[Image]
    """uint8 `[H, W, 3]`, at most Tv; empty without video."""
    label: int
    """Index into the config's labels."""

    def with_modality_dropped(self, index: int) -> "Window":
        """Return the whole window, its audio or its video, by turns of `index`; never an empty window."""
        if index % 3 == 1 and len(self.samples):
            return self._replace(crops=[])
        if index % 3 == 2 and self.crops:
            return self._replace(samples=np.zeros(0, np.float32))
        return self


class Windows:
    """Windows of one fold, at most `count`, evenly spaced; each is decoded when it is iterated over."""

    def __init__(self, config: Config, root: Path, fold: Fold, count: int, left_out: str | None = None) -> None:
        self._dataset: PairedWindows | ClipWindows
        if isinstance(config.recipe, Clips):
            self._dataset = ClipWindows(config, config.recipe, root, fold, left_out)
        elif left_out is not None:
            raise UsageError(
                f"--fold {left_out}: {config.name} is trained on voices and faces, which have no such folds"
            )
        else:
            self._dataset = PairedWindows(config, root, fold)
        self._rows = evenly_spaced(len(self._dataset), count)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Window]:
        for index, row in enumerate(self._rows):
            window = self._dataset[row].with_modality_dropped(index)
            if len(window.samples) or window.crops:
                yield window


class PairedWindows:
    """Ends of voices paired with faces of the same label, the pairs that the fusion is evaluated on."""

    def __init__(self, config: Config, root: Path, fold: Fold) -> None:
        self._config, dataset = config, Dataset(config, root, skip_damaged=True)
        self._voices = [voice for voice in dataset.voices[fold] if voice.label in config.labels]
        self._images, self._labels = dataset.labelled_faces(fold)
        labels = torch.tensor([config.labels.index(voice.label) for voice in self._voices])
        self._pairs = torch.stack(pair(labels, torch.from_numpy(self._labels)), dim=1).tolist()

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, row: int) -> Window:
        voice, face = self._pairs[row]
        samples = read_audio(self._voices[voice].path, self._config.audio.rate_hz)[-self._config.audio.samples :]
        crops_rgb = rgb(crops(self._images[face : face + 1], self._config.video))
        return Window(samples, list(crops_rgb.numpy()), int(self._labels[face]))


class ClipWindows:
    """First windows of clips; `validation` is the fold that chose the epoch."""

    def __init__(self, config: Config, recipe: Clips, root: Path, fold: Fold, left_out: str | None) -> None:
        found = registry.find(recipe.corpus).utterances(root)
        utterances = [utterance for utterance in found if utterance.label in config.labels]
        names = folds(utterances)
        if left_out not in (None, *names):
            raise UsageError(f"--fold {left_out}: the corpus has the folds {', '.join(names)}")
        rows = split(utterances, left_out or names[-1], "strict")
        of_fold = rows.train if fold == "train" else rows.validation
        self._config = config
        self._utterances = sorted((utterances[row] for row in of_fold.tolist()), key=lambda found: found.label)

    def __len__(self) -> int:
        return len(self._utterances)

    def __getitem__(self, row: int) -> Window:
        utterance, samples = self._utterances[row], self._config.audio
        label = self._config.labels.index(utterance.label)
        return Window(decode_audio(utterance, samples.rate_hz, samples.window_s), self._crops(utterance), label)

    def _crops(self, utterance: Utterance) -> list[Image]:
        rate_hz = self._config.video.rate_hz
        most = round(rate_hz * self._config.audio.window_s)
        return [crop.image for crop in speaker_crops(self._config, utterance, rate_hz)[:most]]


def evenly_spaced(length: int, count: int) -> list[int]:
    """Return at most `count` evenly spaced row numbers below `length`."""
    return np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist()
