"""FER2013, grey 48 x 48 face crops from the web (Goodfellow et al., ICONIP 2013, arXiv 1307.0414).

Each face has the votes of ten raters (FER+, Barsoum et al., ICMI 2016, arXiv 1608.01041) beside its first label: raters
agree with the first label on 92 % of the happy faces, on 46 % of the angry and on 41 % of the sad ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import UsageError
from edge.system.files import check_file

from .similar_images import similar

ABOUT = "FER2013, faces from the web (Goodfellow et al. 2013), with the votes of FER+ (Barsoum et al. 2016)"
EMOTIONS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
"""Emotions that raters could vote for, in the order of the votes."""
NONE = -1
"""Index of a face that has none of the classes."""


@dataclass(frozen=True)
class Faces:
    """Face crops, what raters say of them, and their classes."""

    images: np.ndarray
    """uint8 `[N, 48, 48]`, grey."""
    votes: np.ndarray
    """float32 `[N, 8]`, each emotion's share of the raters; they sum to less than 1 where some did not know."""
    majority: np.ndarray
    """int64 `[N]`, the emotion that more than half of the raters chose, or -1."""
    first_labels: np.ndarray
    """int64 `[N]`, the emotion as first published."""

    def __getitem__(self, rows: np.ndarray | slice) -> "Faces":
        """Return the faces of some rows."""
        return Faces(self.images[rows], self.votes[rows], self.majority[rows], self.first_labels[rows])


def load(root: Path) -> tuple[Faces, Faces]:
    """Read the training faces, which most raters call an emotion, and all validation faces.

    The corpus holds copies, exact ones and ones that differ a little in cut, size or light: each validation face is
    kept once, and training faces that recur there are dropped.
    """
    train, held_out = (read_part(root, part) for part in ("train", "val"))
    repeats = np.tril(similar(held_out.images, held_out.images), -1).any(axis=1)
    validation = held_out[np.flatnonzero(~repeats)]
    unknown = train.votes.sum(axis=1) <= 0.5
    return train[np.flatnonzero(~unknown & ~similar(train.images, validation.images).any(axis=1))], validation


def read_part(root: Path, part: str) -> Faces:
    """Read the faces of one part, `train` or `val`."""
    pictures, ratings = root / "fer2013.npz", root / "ferplus" / f"ferplus_{part}.npz"
    for path in (pictures, ratings):
        check_file(path, f"set FOAL_DATA (or --data) to the folder that holds {path.relative_to(root)}", what="faces")
    with np.load(pictures, allow_pickle=False) as archive:
        images, first = archive[f"{part}_images"], archive["classes"][archive[f"{part}_labels"]]
    with np.load(ratings, allow_pickle=False) as archive:
        votes = archive["votes"].astype(np.float32)
    if len(votes) != len(images):
        raise UsageError(f"{ratings} rates {len(votes)} faces, {pictures} has {len(images)}; take both of one source")
    shares = votes[:, : len(EMOTIONS)] / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    majority = np.where(shares.max(axis=1) > 0.5, shares.argmax(axis=1), NONE)
    return Faces(images, shares, majority, np.array([EMOTIONS.index(name) for name in first]))


def columns(labels: Sequence[str]) -> list[int]:
    """Return the emotions that a configuration's labels are; UsageError for one that raters could not choose."""
    absent = sorted(set(labels) - set(EMOTIONS))
    if absent:
        raise UsageError(f"raters of FER2013 could not choose {', '.join(absent)}, only {', '.join(EMOTIONS)}")
    return [EMOTIONS.index(label) for label in labels]


def classes(emotions: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Return the indices int64 `[N]` of emotions `[N]` in a configuration's labels, -1 for others."""
    found = np.full(len(EMOTIONS) + 1, NONE, dtype=np.int64)
    found[columns(labels)] = np.arange(len(labels))
    return found[emotions]
