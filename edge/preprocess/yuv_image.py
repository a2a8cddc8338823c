"""Decoded image in YUV, of which only what is looked at is converted to RGB."""

from collections.abc import Callable
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry import Box
from .images import Image, cut, resize


class YuvImage:
    """Upright image with square pixels in three planes of 8 bits, as a decoder gives it."""

    def __init__(
        self, planes: tuple[Image, Image, Image], to_rgb: NDArray[np.float64], convert: Callable[[], Image]
    ) -> None:
        """Take luma `[H, W]`, both chroma `[h, w]`, the matrix `[3, 4]` from them to RGB, and the conversion of all."""
        self._luma, *self._chroma = planes
        self._to_rgb, self._convert = to_rgb, convert
        self.shape = (*self._luma.shape, 3)

    @cached_property
    def image(self) -> Image:
        """All of it, uint8 `[H, W, 3]` RGB."""
        return self._convert()

    def grey(self, box: Box) -> Image:
        """Return a part in grey, uint8 `[h, w]`: its luma, in whatever range."""
        return cut(self._luma, box)

    def resized(self, box: Box, height: int, width: int) -> Image:
        """Return a part resized to uint8 `[height, width, 3]` RGB: each plane by itself, then all are converted."""
        parts = [cut(self._luma, box), *(cut(plane, self._in_chroma(box, plane)) for plane in self._chroma)]
        yuv = cv2.merge([resize(part, height, width) for part in parts])
        return np.asarray(cv2.transform(yuv, self._to_rgb), np.uint8)

    def _in_chroma(self, box: Box, plane: Image) -> Box:
        """Return a box in the pixels of a chroma plane; an edge between two of them is half of one off."""
        rows, columns = (chroma / luma for chroma, luma in zip(plane.shape, self._luma.shape, strict=True))
        left, top = int(box.x * columns), int(box.y * rows)
        right, bottom = round((box.x + box.width) * columns), round((box.y + box.height) * rows)
        return Box(left, top, max(1, right - left), max(1, bottom - top))
