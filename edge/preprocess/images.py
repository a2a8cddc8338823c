"""Images as arrays: uint8 `[H, W, 3]`, RGB, or grey `[H, W]`; parts of them, resized and stretched."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry import Box

Image = NDArray[np.uint8]


def cut(image: Image, box: Box) -> Image:
    """Return the part of the image in the box."""
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def resize(image: Image, height: int, width: int) -> Image:
    """Resize an image to `height` x `width`: averaged where it shrinks, interpolated where it grows."""
    shrinks = image.shape[0] >= height and image.shape[1] >= width
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def stretch(image: Image) -> Image:
    """Stretch an image to its full range, all colours alike: a face in a dim room has the contrast of any other."""
    return np.asarray(cv2.normalize(image, np.empty_like(image), 0, 255, cv2.NORM_MINMAX), dtype=np.uint8)
