"""Recordings of people whom the model was not trained on, found by its configuration."""

import zlib
from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import UsageError
from edge.preprocess.images import Image
from edge.preprocess.media import Samples
from edge.sources.media import read_audio

from ..config import Config, voices_and_faces
from ..corpora import fer2013, noises
from ..corpora.registry import VOICES
from ..corpora.utterance import Utterance, matching_files
from ..log import console
from .draws import generator
from .figures import Subject

FieldFold = Literal["held-out", "validation", "test"]
PHOTOGRAPHS = {"anger": "angry", "happiness": "happy", "neutral": "neutral", "sadness": "sad"}
"""Label by folder of `lfw_expressions`; the others have their own names."""
PHOTOGRAPHED_FACE = 2 / 3
"""Height of the face in a photograph: it was cut with a quarter of the face on each side."""

PERSONS_HELD_OUT = 3
"""One photographed person of so many is kept for tests."""
UNKNOWN = "unknown"
DECODED = 512
"""Largest number of recordings that are kept decoded: about 100 MB."""

T = TypeVar("T")


class Voice(NamedTuple):
    """Labelled recording of one person."""

    utterance: Utterance

    def samples(self, rate_hz: int) -> Samples:
        """Return the audio, float32 `[n]`, decoded once."""
        return decoded(self.utterance.path, rate_hz)

    @property
    def subject(self) -> Subject:
        """Facts about the person."""
        voice = self.utterance
        groups = {
            "corpus": voice.corpus,
            "language": voice.language or UNKNOWN,
            "sex": voice.sex or UNKNOWN,
            "label": voice.label,
        }
        return Subject(voice.label, voice.speaker, groups)


class Face(NamedTuple):
    """Labelled picture of one person's face."""

    image: Image
    """uint8 `[H, W, 3]` RGB, filled by the face and its margin."""
    subject: Subject


class Recordings:
    """Voices, faces and noises for one model's labels, chosen by a seed: at most `most` for each row."""

    def __init__(
        self, config: Config, labels: Sequence[str], root: Path, fold: FieldFold, most: int, seed: int
    ) -> None:
        self.labels, self.root, self._fold, self._most, self._seed = labels, root, fold, most, seed
        recipe = voices_and_faces(config)
        speakers = {
            "held-out": {*recipe.validation_speakers, *recipe.test_speakers},
            "validation": set(recipe.validation_speakers),
            "test": set(recipe.test_speakers),
        }[fold]
        self.voices = self._choose_voices(recipe.voices, speakers)
        """Voices of the corpora that the model was trained on, of other speakers."""
        self._left_out = [name for name in VOICES if name not in recipe.voices]

    def _choose_voices(self, corpora: Sequence[str] | dict[str, float], speakers: set[str] | None) -> list[Voice]:
        found = [
            Voice(voice)
            for corpus in corpora
            for voice in VOICES[corpus].utterances(self.root)
            if voice.label in self.labels and (speakers is None or voice.speaker in speakers)
        ]
        if not found:
            raise UsageError(f"no voices of {', '.join(self.labels)} in {', '.join(corpora)} of {self.root}")
        return balanced(found, [(v.utterance.speaker, v.utterance.label) for v in found], self._most, self._seed)

    def whole_corpora(self) -> dict[str, list[Voice]]:
        """Return voices of each corpus that the model never heard; a corpus that is not there is named and left out."""
        found = {}
        for corpus in self._left_out:
            try:
                found[corpus] = self._choose_voices([corpus], None)
            except UsageError as error:
                console.print(f"left out: {corpus} ({error})")
        return found

    @cached_property
    def faces(self) -> list[Face]:
        """Face crops that most raters call one label; each stands for a person of its own."""
        return self._cut_out(self._held_out_faces.majority)

    @cached_property
    def faces_as_first_labelled(self) -> list[Face]:
        """Face crops with the labels that FER2013 was first published with."""
        return self._cut_out(self._held_out_faces.first_labels)

    @cached_property
    def _held_out_faces(self) -> fer2013.Faces:
        part = {"held-out": slice(None), "validation": slice(0, None, 2), "test": slice(1, None, 2)}[self._fold]
        return fer2013.load(self.root)[1][part]

    def _cut_out(self, emotions: NDArray[np.int64]) -> list[Face]:
        """Return the held-out faces whose emotion, `[N]`, is one of the labels."""
        labels = fer2013.classes(emotions, self.labels)
        rows = np.flatnonzero(labels != fer2013.NONE)
        names = [self.labels[labels[row]] for row in rows]
        found = [
            Face(
                np.repeat(self._held_out_faces.images[row][..., None], 3, axis=2),
                Subject(name, f"fer2013-{row}", {"label": name}),
            )
            for row, name in zip(rows, names, strict=True)
        ]
        return balanced(found, names, self._most, self._seed)

    @cached_property
    def photographs(self) -> list[Face]:
        """Press photographs of faces with a margin of a quarter, 128 px, one a person; none where not there."""
        found: dict[str, tuple[Path, str]] = {}
        for path in matching_files(self.root / "lfw_expressions", "*/*.jpg"):
            label, person = PHOTOGRAPHS.get(path.parent.name, path.parent.name), path.stem[:-5]
            if label in self.labels and is_kept_for_tests(person):
                found.setdefault(person, (path, label))
        chosen = balanced(list(found.items()), [label for _, label in found.values()], self._most // 2, self._seed)
        return [Face(read_image(path), Subject(label, person, {"label": label})) for person, (path, label) in chosen]

    def noises(self, kind: str, rate_hz: int) -> dict[str, Samples]:
        """Return the recordings of a kind that are kept for tests, by name."""
        return {path.stem: decoded(path, rate_hz) for path in noises.held_out(self.root, kind)}

    def impulse_responses(self, rate_hz: int) -> list[Samples]:
        """Return the recorded impulse responses."""
        return [decoded(path, rate_hz) for path in noises.impulse_responses(self.root)]


def read_image(path: Path) -> Image:
    """Return an image file, uint8 `[H, W, 3]` RGB; UsageError where it cannot be read."""
    image = cv2.imread(str(path))
    if image is None:
        raise UsageError(f"{path} is no image that can be read; restore it or delete it")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


@lru_cache(maxsize=DECODED)
def decoded(path: Path, rate_hz: int) -> Samples:
    """Return the audio of a file, float32 `[n]`, decoded once."""
    return read_audio(path, rate_hz)


def is_kept_for_tests(person: str) -> bool:
    """Return whether a photographed person is kept for tests: a third of them; training takes the others."""
    return zlib.crc32(person.encode()) % PERSONS_HELD_OUT == 0


def balanced(items: Sequence[T], keys: Sequence[Hashable], most: int, seed: int) -> list[T]:
    """Return at most `most` items in random order, in turn from each key, so that all keys are about as frequent."""
    parts: dict[Hashable, list[T]] = defaultdict(list)
    for index in generator(seed, "balanced").permutation(len(items)):
        parts[keys[index]].append(items[index])
    turns = max(map(len, parts.values()), default=0)
    return [part[turn] for turn in range(turns) for part in parts.values() if turn < len(part)][:most]
