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


def shrink_grey(grey: Image, shrink: float) -> Image:
    """Return a grey image `[H, W]` shrunk to `shrink` of its size: by halves, which is quick, then averaged."""
    height, width = (max(1, round(side * shrink)) for side in grey.shape)
    while grey.shape[0] >= 2 * height and grey.shape[1] >= 2 * width:
        half = (grey.shape[1] + 1) // 2, (grey.shape[0] + 1) // 2
        grey = np.asarray(cv2.resize(grey, half, interpolation=cv2.INTER_LINEAR), np.uint8)
    return resize(grey, height, width)


def stretch(image: Image) -> Image:
    """Stretch an image to its full range, all colours alike: a face in a dim room has the contrast of any other."""
    return np.asarray(cv2.normalize(image, np.empty_like(image), 0, 255, cv2.NORM_MINMAX), dtype=np.uint8)
