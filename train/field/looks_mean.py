"""Mean of how faces look, which tells what is common to all of them: `python -m train.field.looks_mean --data corpora`.

Written into `edge/preprocess/`: 588 numbers, each a mean over the photographs of people that no test takes.
"""

from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry import Box
from edge.preprocess import face_looks
from edge.preprocess.face_detector import Face
from edge.preprocess.images import Image

from ..corpora.utterance import matching_files
from ..log import console
from .recordings import PHOTOGRAPHED_FACE, is_kept_for_tests, read_image

BOX = 1.42
"""Width of the cascade's box, as a multiple of the face's height in a photograph."""


def mean_look(photographs: list[Image]) -> NDArray[np.float32]:
    """Return the mean description `[D]` of photographed faces, uint8 `[H, W, 3]`, in all sizes that are compared."""
    sums = [face_looks.description(picture) for photograph in photographs for picture in pictures(photograph)]
    return np.asarray(np.mean(sums, axis=0), np.float32)


def pictures(photograph: Image) -> list[Image]:
    """Return the small pictures of a photographed face, as they would be cut from an image."""
    side = photograph.shape[0]
    around = cv2.copyMakeBorder(photograph, side, side, side, side, cv2.BORDER_REFLECT_101)
    width = round(BOX * PHOTOGRAPHED_FACE * side)
    corner = side + (side - width) // 2
    face = Face(Box(corner, corner, width, width))
    return [face_looks.picture_of(np.asarray(around, np.uint8), face, size) for size in face_looks.SIZES]


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), envvar="FOAL_DATA", required=True, help="Folder of the corpora."
)
def main(data: Path) -> None:
    """Write the mean of the photographs in the data folder."""
    paths = matching_files(data / "lfw_expressions", "*/*.jpg")
    chosen = [path for path in paths if not is_kept_for_tests(path.stem[:-5])]
    np.save(face_looks.MEAN, mean_look([read_image(path) for path in chosen]))
    console.print(f"{face_looks.MEAN}: the mean of {len(chosen)} photographs")


if __name__ == "__main__":
    main()
