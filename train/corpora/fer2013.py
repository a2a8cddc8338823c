"""FER2013, grey 48 x 48 face crops from the web (Goodfellow et al., ICONIP 2013, arXiv 1307.0414)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import UsageError
from edge.system.files import check_file

ABOUT = "FER2013, faces from the web (Goodfellow et al. 2013), for research"


@dataclass(frozen=True)
class Faces:
    """Face crops and their classes."""

    images: np.ndarray
    """uint8 `[N, 48, 48]`, grey."""
    labels: np.ndarray
    """int64 `[N]`, indices into the config's labels."""


def unique(faces: Faces) -> Faces:
    """Return each image once, at its first occurrence."""
    first = {image.tobytes(): index for index, image in reversed(list(enumerate(faces.images)))}
    kept = sorted(first.values())
    return Faces(faces.images[kept], faces.labels[kept])


def load(root: Path, labels: Sequence[str]) -> tuple[Faces, Faces]:
    """Read the training and the validation faces of the given classes.

    The corpus holds copies: each validation image is kept once, and training images that recur there are dropped.
    """
    path = root / "fer2013.npz"
    check_file(path, "set FOAL_DATA (or --data) to the folder that holds fer2013.npz", what="faces")
    with np.load(path, allow_pickle=False) as archive:
        classes = [str(name) for name in archive["classes"]]
        absent = sorted(set(labels) - set(classes))
        if absent:
            raise UsageError(f"{path} has no class {', '.join(absent)}; it has {', '.join(classes)}")
        wanted = np.array([labels.index(name) if name in labels else -1 for name in classes])
        parts = [(archive[f"{part}_images"], wanted[archive[f"{part}_labels"]]) for part in ("train", "val")]
    train, held_out = (Faces(images[index >= 0], index[index >= 0]) for images, index in parts)
    validation = unique(held_out)
    validation_bytes = {image.tobytes() for image in validation.images}
    is_new = np.array([image.tobytes() not in validation_bytes for image in train.images])
    return Faces(train.images[is_new], train.labels[is_new]), validation
