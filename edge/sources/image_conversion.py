"""A decoded picture as people see it: in its own colours, its pixels square, upright and not mirrored."""

import struct
from fractions import Fraction
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type

from ..preprocess.framing import Image

MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""Code points of H.273 (BT.709, FCC, BT.601 twice, SMPTE 240M, BT.2020 twice), and what libswscale calls them."""
BT709, BT601 = 1, 5
LARGEST_SD = 1279, 576
"""Larger pictures that do not say their matrix are BT.709, these BT.601, as players have it."""
LIMITED, FULL = 1, 2
"""Ranges of values as FFmpeg numbers them."""
LIMITED_GREY = np.uint8(np.clip(np.round((np.arange(256) - 16) * (255 / 219)), 0, 255))
"""What a grey of 16 to 235 is in 0 to 255; libswscale takes every grey for full."""
MOST_STRETCHED = 4
"""By how much a pixel may be longer than it is wide, or wider; what says more is mistaken."""
FLIPS = {(True, False): 1, (False, True): 0, (True, True): -1}
"""How OpenCV calls mirrored, flipped, and both."""
MATRIX = struct.Struct("=9i")


class Turn(NamedTuple):
    """One of the eight ways in which a picture can lie; what is done comes in this order."""

    transposed: bool
    mirrored: bool
    """Left to right."""
    flipped: bool
    """Upside down."""


AS_IT_IS = Turn(False, False, False)


class PixelAspect:
    """How wide a track's pixels are for their height: as its container says, until the coded pictures say otherwise."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._codec, self._said = stream.codec_context, stream.sample_aspect_ratio
        self._first: Fraction | None = None
        self._is_first = True

    def now(self) -> Fraction | None:
        """Of the picture that was decoded last; None where it is not said."""
        coded = self._codec.sample_aspect_ratio
        if self._is_first:
            self._is_first, self._first = False, coded
        return coded if coded and (coded != self._first or not self._said) else self._said


def to_rgb(frame: av.VideoFrame, pixel_aspect: Fraction | None) -> Image:
    """uint8 `[H, W, 3]`."""
    width, height = square(frame.width, frame.height, pixel_aspect)
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, **colours(frame))
    if len(frame.format.components) < 3 and frame.color_range == LIMITED and not frame.format.has_palette:
        pixels = LIMITED_GREY[pixels]
    return turned(np.asarray(pixels, np.uint8), turn_of(frame))


def colours(frame: av.VideoFrame) -> dict[str, Any]:
    """How a picture of luma and chroma becomes red, green and blue; nothing for others.

    Both ends are said, and never the same: what is left out or equal PyAV before 17 takes for BT.601 and limited.
    """
    pixels = frame.format
    if pixels.is_rgb or len(pixels.components) < 3:
        return {}
    is_large = frame.width > LARGEST_SD[0] or frame.height > LARGEST_SD[1]
    matrix = MATRICES.get(frame.colorspace, BT709 if is_large else BT601)
    is_full = frame.color_range == FULL or pixels.name.startswith("yuvj")
    return {
        "src_colorspace": matrix,
        "dst_colorspace": BT601 if matrix == BT709 else BT709,
        "src_color_range": FULL if is_full else LIMITED,
        "dst_color_range": FULL,
    }


def square(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """The size with square pixels: none are thrown away, so that the side that is too short grows."""
    if not pixel_aspect or not 1 / MOST_STRETCHED <= pixel_aspect <= MOST_STRETCHED:
        return width, height
    if pixel_aspect > 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def turn_of(frame: av.VideoFrame) -> Turn:
    """How a picture lies, by the display matrix that its film or its EXIF data gave it.

    `frame.side_data` would be kept by the frame and keep it: a circle, and with it pixels and libswscale's threads
    until Python looks for circles.
    """
    make: Any = SideDataContainer
    data = make(frame)
    found = data.get(Type.DISPLAYMATRIX)
    return nearest(MATRIX.unpack(bytes(found)[: MATRIX.size])) if found is not None else AS_IT_IS


def nearest(matrix: tuple[int, ...]) -> Turn:
    """The turn that comes closest to a display matrix, which takes `x, y` to `ax + cy, bx + dy`."""
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(False, a < 0, d < 0)
    return Turn(True, c < 0, b < 0)


def turned(image: Image, turn: Turn) -> Image:
    """The same picture upright."""
    if turn.transposed:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if turn.mirrored or turn.flipped:
        image = np.asarray(cv2.flip(image, FLIPS[turn.mirrored, turn.flipped]), np.uint8)
    return image


def unnamed(kind: type[Type], number: int) -> Type:
    """A type of side data that FFmpeg has and PyAV has no name for."""
    made: Any = object.__new__(kind)
    made._name_, made._value_ = f"UNNAMED_{number}", number
    return made  # type: ignore[no-any-return]


# Without it PyAV gives none of a frame's side data where one kind is new to it: 18 has no name for EXIF data.
Type._missing_ = classmethod(unnamed)  # type: ignore[assignment]
