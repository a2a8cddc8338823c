"""Faces that no model here was fitted to by us: of FER2013's test half, and of press photographs.

Dimensions: N faces, H and W their height and width.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.preprocess.images import Image
from train.corpora import fer2013
from train.corpora.utterance import matching_files
from train.field.recordings import PHOTOGRAPHED_FACE, PHOTOGRAPHS, is_kept_for_tests, read_image

from .job import SetFile

TEST_HALF = slice(1, None, 2)
"""Held-out faces that training does not even choose its epoch by."""
CROPS = (PHOTOGRAPHED_FACE, 0.8, 1.0)
"""Shares of a photograph's sides that are shown: a face as a detector frames it, with a margin, with all around it."""


class FaceSet(NamedTuple):
    """Labelled faces of one size."""

    name: str
    faces: np.ndarray
    """uint8 `[N, H, W]`, grey."""
    truths: dict[str, list[str | None]]
    """Label of each face, `[N]`, by who said so; None where nobody knows."""


def face_sets(root: Path) -> list[FaceSet]:
    """Return all sets of a folder of corpora; UsageError where one is missing."""
    return [fer2013_set(root), *photograph_sets(root)]


def fer2013_set(root: Path) -> FaceSet:
    """Return the test half of FER2013's held-out faces, with the raters' majority and the labels first published."""
    held_out = fer2013.load(root)[1][TEST_HALF]
    return FaceSet(
        "FER2013",
        held_out.images,
        {
            "raters": [name_of(index) for index in held_out.majority],
            "first labels": [name_of(index) for index in held_out.first_labels],
        },
    )


def name_of(emotion: int) -> str | None:
    """Return the name of an emotion of FER2013."""
    return None if emotion == fer2013.NONE else fer2013.EMOTIONS[emotion]


def photograph_sets(root: Path) -> Iterator[FaceSet]:
    """Yield the photographs of persons kept for tests, once for each crop; none where there are none."""
    paths = [
        path
        for path in matching_files(root / "lfw_expressions", "*/*.jpg")
        if is_kept_for_tests(path.stem.rpartition("_")[0])
    ]
    truth: list[str | None] = [PHOTOGRAPHS.get(path.parent.name, path.parent.name) for path in paths]
    images = [read_image(path)[..., 0] for path in paths]
    for share in CROPS if paths else ():
        faces = np.stack([centre(image, share) for image in images])
        yield FaceSet(f"photographs, {share:.0%} of their sides", faces, {"one rater": truth})


def write_faces(sets: Sequence[FaceSet], folder: Path) -> list[SetFile]:
    """Write the faces of each set into a folder, for workers."""
    written = []
    for index, each in enumerate(sets):
        path = folder / f"faces-{index}.bin"
        np.ascontiguousarray(each.faces).tofile(path)
        written.append(SetFile(str(path), *each.faces.shape))
    return written


def centre(image: Image, share: float) -> Image:
    """Return the central part of a grey image `[H, W]`, `share` of its sides."""
    height, width = (round(share * side) for side in image.shape)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
