"""Changes in the images of one camera: the part of an image in which something is new since it was searched."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry import Box
from .face_detector import MARGIN, surroundings
from .images import shrink_grey
from .pictures import Picture, grey_part, whole

SIDE_CELLS = 60
"""Number of cells along an image's shorter side; each is the mean grey of its pixels, in which their noise is small."""
FACE_CELLS = 7
"""Width in cells of the smallest face that a search of a whole image finds, an eighth of the shorter side."""
NEW_GREYS, NEW_SHARE = 2.5, 0.4
"""Mean change over such a face from which on something is new: in greys, and as a share of the cells' standard
deviation. A new face has more in any light, a camera's noise of 12 greys less than 2 greys."""
MOST_BRIGHTER = 1.25
"""Factor by which the whole image may become brighter or darker without anything in it being new."""
TAKEN = 0.5
"""Share of a change that one search takes in: a large one is searched for several times."""

Cells = NDArray[np.float32]


class SceneChange:
    """Small grey picture of the scene in a camera's images, as it was when each part of it was searched."""

    def __init__(self) -> None:
        self._searched: Cells | None = None

    def take(self, image: Picture) -> None:
        """Take an image for searched: nothing in it is new."""
        self._searched = cells_of(image)

    def find(self, image: Picture, *known: Box) -> Box | None:
        """Return the part of an image in which something is new, and take it for searched; None where nothing is.

        A face that came into the image lies in that part. Changes in and around known faces are their own.
        """
        cells, searched = cells_of(image), self._searched
        if searched is None or searched.shape != cells.shape:
            self._searched = cells
            return whole(image)
        brighter = float(np.clip(cells.mean() / max(1.0, searched.mean()), 1 / MOST_BRIGHTER, MOST_BRIGHTER))
        change = np.abs(cells - brighter * searched)
        pixels = image.shape[0] / cells.shape[0]
        for box in known:
            change[as_slices(surroundings(box, image, round(box.width * MARGIN)), pixels)] = 0
        is_new = cv2.blur(change, (FACE_CELLS, FACE_CELLS)) > max(NEW_GREYS, NEW_SHARE * float(cells.std()))
        if not is_new.any():
            return None
        x, y, width, height = cv2.boundingRect(is_new.astype(np.uint8))
        new = Box(*(round(pixels * side) for side in (x, y, width, height)))
        part = surroundings(new, image, round(pixels * FACE_CELLS))
        taken = as_slices(part, pixels)
        searched[taken] += TAKEN * (cells[taken] - searched[taken])
        return part


def cells_of(image: Picture) -> Cells:
    """Return the mean greys `[h, w]` of an image's cells."""
    return shrink_grey(grey_part(image, whole(image)), min(1.0, SIDE_CELLS / min(image.shape[:2]))).astype(np.float32)


def as_slices(box: Box, pixels: float) -> tuple[slice, slice]:
    """Return the rows and columns of all cells of so many pixels that a box touches."""
    bottom, right = (box.y + box.height) / pixels, (box.x + box.width) / pixels
    return slice(int(box.y / pixels), int(np.ceil(bottom))), slice(int(box.x / pixels), int(np.ceil(right)))
