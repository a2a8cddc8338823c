"""Jobs of workers: what they are to classify, and what they answer. Each worker is a process with one model.

Dimensions: N faces, H and W their height and width, C the labels of the model.
"""

import msgspec
import numpy as np

WARM_UP = 50
"""Faces that are classified before the timed ones."""
TIMED = 300
"""Faces that are timed together, one after the other."""


class SetFile(msgspec.Struct, frozen=True):
    """Faces of one set in a file of bytes, uint8 `[N, H, W]`."""

    file: str
    count: int
    height: int
    width: int


class Job(msgspec.Struct, frozen=True):
    """Faces to classify. A worker writes `ready` when it has classified one, and times faces of the first set."""

    sets: list[SetFile]
    classify: bool
    """True if all faces of all sets are to be classified; else they are timed alone."""
    warm_up: int = WARM_UP
    timed: int = TIMED


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer of a worker."""

    labels: list[str]
    probs: list[list[list[float]]]
    """`[N][C]` of each set; empty where only time was asked for."""
    cpu_ms: float
    """CPU milliseconds of the whole process for one face."""
    weights_bytes: int
    """Size of the files that a face needs."""
    encoder_cpu_ms: float | None = None
    """The same for one more face of a window that is recognised; None where a model sees faces one by one."""


def read_faces(part: SetFile) -> np.ndarray:
    """Read the faces of a set, uint8 `[N, H, W]`."""
    return np.fromfile(part.file, np.uint8).reshape(part.count, part.height, part.width)
