"""Conversion of decoded frames to upright RGB images: colour matrix and range, sample aspect ratio, orientation."""

import struct
import threading
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ..preprocess.images import Image
from ..preprocess.pictures import Picture
from ..preprocess.yuv_image import YuvImage

SWS_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""Matrix code points of H.273 (BT.709, FCC, BT.601 twice, SMPTE 240M, BT.2020 twice) as libswscale numbers them."""
BT709, BT601 = 1, 5
"""libswscale's numbers of the two most common matrices."""
LARGEST_SD_SIZE = 1279, 576
"""Largest width and height taken for BT.601 if no matrix is stated; larger frames are BT.709, as in players."""
LIMITED, FULL = 1, 2
"""Colour ranges as FFmpeg numbers them."""
LIMITED_GREY = np.uint8(np.clip(np.round((np.arange(256) - 16) * (255 / 219)), 0, 255))
"""Lookup table from limited-range grey to full range; libswscale treats all grey formats as full range."""
MAX_SAMPLE_ASPECT_RATIO = 4
"""Largest credible ratio of a pixel's longer to its shorter side; a larger one is ignored."""
FLIPS = {(True, False): 1, (False, True): 0, (True, True): -1}
"""`cv2.flip` codes of (mirrored, flipped)."""
MATRIX = struct.Struct("=9i")
"""Layout of FFmpeg's display matrix."""
ONE_THREAD = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}
"""Argument that keeps libswscale from starting a thread per core for each track; PyAV before 17 never does."""
KR_KB = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Shares of red and of blue in luma, by libswscale's numbers of the matrices."""
PLANAR = {f"{kind}4{chroma}p" for kind in ("yuv", "yuvj") for chroma in ("20", "22", "44")}
"""Pixel formats of three planes of 8 bits, parts of which can be converted by themselves."""


class Orientation(NamedTuple):
    """One of the eight orientations of an image, as operations that make it upright, applied in this order."""

    transposed: bool
    """True to swap rows and columns."""
    mirrored: bool
    """True to swap left and right."""
    flipped: bool
    """True to swap top and bottom."""


UPRIGHT = Orientation(False, False, False)


class SampleAspectRatio:
    """Sample aspect ratio of a track (width of a pixel to its height): the container's, until the codec's changes."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._codec, self._container_ratio = stream.codec_context, stream.sample_aspect_ratio
        self._first: Fraction | None = None
        self._is_first = True

    def current(self) -> Fraction | None:
        """Return the ratio of the last decoded frame; None if it is not stated."""
        coded = self._codec.sample_aspect_ratio
        if self._is_first:
            self._is_first, self._first = False, coded
        return coded if coded and (coded != self._first or not self._container_ratio) else self._container_ratio


class DecodedImage:
    """Decoded frame in its own format, converted to an image when it is called."""

    __slots__ = ("_convert", "_frame", "_kept", "_size")

    def __init__(self, frame: av.VideoFrame, size: tuple[int, int], convert: "ImageConverter") -> None:
        self._frame, self._size, self._convert = frame, size, convert
        self._kept: Image | None = None

    @property
    def nbytes(self) -> int:
        """Size of the image in bytes."""
        width, height = self._size
        return 3 * width * height

    def __call__(self) -> Image:
        """Convert the frame to an upright image with square pixels, uint8 `[H, W, 3]` RGB."""
        return self._convert(self._frame, *self._size) if self._kept is None else self._kept

    def keep(self) -> None:
        """Convert the frame now and keep the image, which is framed from then on."""
        self._kept = self()

    def picture(self) -> Picture:
        """Return the frame in its planes, where it is upright with square pixels and 8 bits, else converted.

        An AVI may keep its rows from the bottom up: then a plane begins with its last row, and its lines go back.
        """
        frame = self._frame
        is_as_seen = self._size == (frame.width, frame.height) and orientation_of(frame) == UPRIGHT
        is_top_down = all(plane.line_size > 0 for plane in frame.planes)
        if self._kept is not None or frame.format.name not in PLANAR or not is_as_seen or not is_top_down:
            return self()
        luma, blue, red = (plane_of(plane) for plane in frame.planes)
        colours = colour_conversion(frame)
        to_rgb = yuv_to_rgb(colours["src_colorspace"], is_full=colours["src_color_range"] == FULL)
        return YuvImage((luma, blue, red), to_rgb, self)


class ImageConverter:
    """Converter of one track's frames; libswscale is set up once, not for each frame."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._aspect, self._reformatter = SampleAspectRatio(stream), VideoReformatter()
        self._lock = threading.Lock()

    def last(self, frame: av.VideoFrame) -> DecodedImage:
        """Return the last decoded frame, whose aspect ratio the codec still states, to be converted."""
        return DecodedImage(frame, square_pixel_size(frame.width, frame.height, self._aspect.current()), self)

    def __call__(self, frame: av.VideoFrame, width: int, height: int) -> Image:
        """Convert a frame to an upright image uint8 `[H, W, 3]` RGB, `width` x `height` before it is turned."""
        with self._lock:  # libswscale's state is of one conversion at a time
            converted = self._reformatter.reformat(
                frame, width, height, "rgb24", **colour_conversion(frame), **ONE_THREAD
            )
        pixels = converted.to_ndarray()
        if len(frame.format.components) < 3 and frame.color_range == LIMITED and not frame.format.has_palette:
            pixels = LIMITED_GREY[pixels]
        return apply_orientation(np.asarray(pixels, np.uint8), orientation_of(frame))


def colour_conversion(frame: av.VideoFrame) -> dict[str, Any]:
    """Return the conversion arguments of a YUV frame's matrix and range; none for other pixel formats.

    Source and destination are both given and always differ: PyAV before 17 takes missing or equal ones for BT.601 and
    limited range.
    """
    pixel_format = frame.format
    if pixel_format.is_rgb or len(pixel_format.components) < 3:
        return {}
    is_large = frame.width > LARGEST_SD_SIZE[0] or frame.height > LARGEST_SD_SIZE[1]
    matrix = SWS_MATRICES.get(frame.colorspace, BT709 if is_large else BT601)
    is_full = frame.color_range == FULL or pixel_format.name.startswith("yuvj")
    return {
        "src_colorspace": matrix,
        "dst_colorspace": BT601 if matrix == BT709 else BT709,
        "src_color_range": FULL if is_full else LIMITED,
        "dst_color_range": FULL,
    }


def plane_of(plane: Any) -> Image:
    """Return a plane `[h, w]` of a frame, whose memory it keeps."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


@cache
def yuv_to_rgb(matrix: int, *, is_full: bool) -> NDArray[np.float64]:
    """Return the matrix `[3, 4]` from (Y, Cb, Cr, 1) in 8 bits to RGB (H.273, 8.3)."""
    kr, kb = KR_KB[matrix]
    kg = 1 - kr - kb
    floor, luma, chroma = (0, 1.0, 1.0) if is_full else (16, 255 / 219, 255 / 224)
    red, blue = 2 * (1 - kr) * chroma, 2 * (1 - kb) * chroma
    scaled = np.array([[luma, 0, red], [luma, -blue * kb / kg, -red * kr / kg], [luma, blue, 0]])
    return np.hstack([scaled, -scaled @ [[floor], [128], [128]]])


def square_pixel_size(width: int, height: int, sample_aspect_ratio: Fraction | None) -> tuple[int, int]:
    """Return width and height with square pixels; the shorter side is enlarged, so that no pixels are lost."""
    if not sample_aspect_ratio or not 1 / MAX_SAMPLE_ASPECT_RATIO <= sample_aspect_ratio <= MAX_SAMPLE_ASPECT_RATIO:
        return width, height
    if sample_aspect_ratio > 1:
        return round(width * sample_aspect_ratio), height
    return width, round(height / sample_aspect_ratio)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Return the orientation of a frame, by the display matrix of its container or EXIF data.

    `frame.side_data` is avoided: the frame would cache it and it refers to the frame, a cycle that keeps pixels and
    libswscale's threads until garbage collection.
    """
    make: Any = SideDataContainer
    data = make(frame)
    found = data.get(Type.DISPLAYMATRIX)
    return nearest_orientation(MATRIX.unpack(bytes(found)[: MATRIX.size])) if found is not None else UPRIGHT


def nearest_orientation(matrix: tuple[int, ...]) -> Orientation:
    """Return the orientation closest to a display matrix, which maps `x, y` to `ax + cy, bx + dy`."""
    a, b, _, c, d = matrix[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def apply_orientation(image: Image, orientation: Orientation) -> Image:
    """Return the image made upright."""
    if orientation.transposed:
        image = np.asarray(cv2.transpose(image), np.uint8)
    if orientation.mirrored or orientation.flipped:
        image = np.asarray(cv2.flip(image, FLIPS[orientation.mirrored, orientation.flipped]), np.uint8)
    return image


def make_unnamed_type(kind: type[Type], number: int) -> Type:
    """Return a member for a type of side data that PyAV has no name for."""
    made: Any = object.__new__(kind)
    made._name_, made._value_ = f"UNNAMED_{number}", number
    return made  # type: ignore[no-any-return]


# Without this PyAV returns none of a frame's side data if one type is unknown to it: 18 has no name for EXIF data.
Type._missing_ = classmethod(make_unnamed_type)  # type: ignore[assignment]
