"""Pictures that are framed: images in RGB, as cameras give them, or in YUV, as decoders do."""

import cv2
import numpy as np

from ..geometry import Box
from .images import Image, cut, resize
from .yuv_image import YuvImage

Picture = Image | YuvImage


def grey_part(picture: Picture, box: Box, step: int = 1) -> Image:
    """Return the part of a picture in the box, in grey `[h, w]`; of its rows and columns one in `step` alone."""
    if isinstance(picture, YuvImage):
        return picture.grey(box)[::step, ::step]
    rows = cut(rgb_image(picture), box)[::step]
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY), np.uint8)[:, ::step]  # skipping RGB takes longer


def resized_part(picture: Picture, box: Box, height: int, width: int) -> Image:
    """Return the part of a picture in the box, resized, in RGB `[height, width, 3]`."""
    if isinstance(picture, YuvImage):
        return picture.resized(box, height, width)
    return resize(cut(rgb_image(picture), box), height, width)


def rgb_image(picture: Picture) -> Image:
    """Return all of a picture in RGB `[H, W, 3]`."""
    return picture.image if isinstance(picture, YuvImage) else picture


def whole(picture: Picture) -> Box:
    """Return the box of all of a picture."""
    return Box(0, 0, picture.shape[1], picture.shape[0])
