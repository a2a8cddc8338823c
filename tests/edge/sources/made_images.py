"""Videos and stills with orientation, aspect ratio and colour metadata, made for tests."""

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

ORIENTATION = 0x0112
SHORT = 3
FIXED, CORNER = 1 << 16, 1 << 30
"""1.0 as 16.16 and as 2.30."""
PNG_HEADER = 33
"""Bytes of a PNG's signature and of its first chunk."""
TKHD_MATRIX = 40
"""Where in a track header of version 0 the matrix stands (ISO/IEC 14496-12, 8.3.2)."""


def pattern(width: int = 48, height: int = 32) -> np.ndarray:
    """uint8 `[H, W, 3]`: no turning or mirroring looks like another."""
    image = np.full((height, width, 3), (40, 60, 80), np.uint8)
    image[: height // 2, : width // 2] = 200, 30, 30
    image[: height // 2, width // 2 :] = 30, 160, 30
    image[height // 4 * 3 :, : width // 4] = 240, 240, 240
    return image


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Return the image as stored, so that the EXIF orientation makes it upright (EXIF 2.32, 4.6.4 A)."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]


MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""`a, b, c, d` of the display matrix that does what an EXIF orientation asks for: `x, y` goes to `ax + cy, bx + dy`."""


def exif(orientation: int, order: str = "<") -> bytes:
    """EXIF data of this alone: a TIFF header and a directory of one entry."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return header + struct.pack(f"{order}HHHIHHI", 1, ORIENTATION, SHORT, 1, orientation, 0, 0)


def jpeg(path: Path, image: np.ndarray, orientation: int | None = None, order: str = "<") -> Path:
    """A still, each of its pixels with its own colour, with EXIF data where an orientation is given."""
    whole = [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), whole)
    content, marker = encoded.tobytes(), b""
    if orientation is not None:
        said = b"Exif\0\0" + exif(orientation, order)
        marker = b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said
    path.write_bytes(content[:2] + marker + content[2:])
    return path


def png(path: Path, image: np.ndarray, orientation: int) -> Path:
    """A still with EXIF data in a chunk of its own, after the header's."""
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    content, said = encoded.tobytes(), exif(orientation)
    chunk = struct.pack(">I", len(said)) + b"eXIf" + said + struct.pack(">I", zlib.crc32(b"eXIf" + said))
    path.write_bytes(content[:PNG_HEADER] + chunk + content[PNG_HEADER:])
    return path


def write_video(
    path: Path,
    images: Sequence[av.VideoFrame],
    codec: str,
    pixel_aspect: Fraction | None = None,
    colorspace: int = 2,
    color_range: int = 0,
) -> Path:
    """Write a video of five frames a second, in the pixel format of its frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=5)
        stream.width, stream.height = images[0].width, images[0].height
        stream.pix_fmt = images[0].format.name
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        stream.codec_context.colorspace, stream.codec_context.color_range = colorspace, color_range
        for number, frame in enumerate(images):
            frame.pts, frame.time_base = number, Fraction(1, 5)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_frame(path: Path, image: np.ndarray, pixel_aspect: Fraction | None = None) -> Path:
    """Write a video of one frame: lossless as MOV."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
    if path.suffix == ".mov":
        return write_video(path, [frame], "png", pixel_aspect)
    return write_video(path, [frame.reformat(format="yuv420p")], "mpeg2video", pixel_aspect)


def set_display_matrix(path: Path, matrix: tuple[float, float, float, float]) -> Path:
    """Set the display matrix `a, b, c, d` in the first track header of a MOV."""
    content = path.read_bytes()
    begin = content.index(b"tkhd") + len(b"tkhd") + TKHD_MATRIX
    a, b, c, d = (round(FIXED * value) for value in matrix)
    said = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, CORNER)
    path.write_bytes(content[:begin] + said + content[begin + len(said) :])
    return path
