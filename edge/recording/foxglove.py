"""Pictures and sound as Foxglove's well-known types, in JSON: what its Image and Audio panels show.

Frames are PNG, without loss. Of its strategies and filters, runs over the average of two neighbours take half the time
of the default on what cameras deliver, for files as small. Sound is 16-bit, as these types want it: the exact samples
stand in the steps.
"""

import struct

import cv2
import msgspec
import numpy as np

from ..clock import SECOND_NS
from ..preprocess.images import Image
from ..preprocess.media import Block, Frame

PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # since OpenCV 4.12; before, the filter cannot be chosen
    PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG]
PNG_SIZE = struct.Struct(">8x8xII")
"""Layout of the width and height in a PNG's first bytes."""
LARGEST_SIDE = 1 << 13
"""Largest height and width of a frame, in pixels."""
FULL_SCALE = 1 << 15


class Time(msgspec.Struct, frozen=True):
    """Unix time."""

    sec: int
    nsec: int


class RawAudio(msgspec.Struct, frozen=True):
    """A block of sound, as the panel Audio plays it."""

    timestamp: Time
    """Time of the first sample."""
    data: bytes
    """Samples, int16 little endian."""
    format: str
    sample_rate: int
    """Samples per second."""
    number_of_channels: int


class CompressedImage(msgspec.Struct, frozen=True):
    """A picture, as the panel Image shows it."""

    timestamp: Time
    """Capture time."""
    frame_id: str
    """Name of the stream."""
    data: bytes
    """The picture, without loss."""
    format: str


def to_audio(block: Block, start_ns: int, rate_hz: int) -> RawAudio:
    """Return a block as 16-bit sound; `start_ns` is Unix time."""
    scaled = np.nan_to_num(block.samples).clip(-1, 1) * np.float32(FULL_SCALE)
    pcm = np.rint(scaled).clip(max=FULL_SCALE - 1).astype("<i2")
    return RawAudio(to_time(start_ns), pcm.tobytes(), "pcm-s16", rate_hz, 1)


def to_image(frame: Frame, captured_ns: int, stream: str) -> CompressedImage:
    """Return a frame as PNG; `captured_ns` is Unix time."""
    _, png = cv2.imencode(".png", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), PNG)
    return CompressedImage(to_time(captured_ns), stream, png.tobytes(), "png")


def to_pixels(png: bytes) -> Image:
    """Return uint8 `[H, W, 3]` RGB; ValueError where it is none. The size is checked before memory is taken for it."""
    if len(png) < PNG_SIZE.size or not all(1 <= side <= LARGEST_SIDE for side in PNG_SIZE.unpack_from(png)):
        raise ValueError(f"its frame is no PNG of at most {LARGEST_SIDE} x {LARGEST_SIDE} pixels")
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("its frame is no PNG that can be decoded")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def to_time(unix_ns: int) -> Time:
    """Return a time in seconds and nanoseconds; none is before 1970."""
    return Time(*divmod(max(0, unix_ns), SECOND_NS))
