"""Frames become upright RGB images with square pixels, however they are stored."""

import gc
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.geometry import Box
from edge.preprocess.images import cut, resize
from edge.preprocess.media import Frame
from edge.preprocess.pictures import Picture, resized_part
from edge.preprocess.windowing import FrameGrid
from edge.preprocess.yuv_image import YuvImage
from edge.sources.image_conversion import Orientation, nearest_orientation, square_pixel_size
from edge.sources.media import read_frames
from tests.edge.sources.made_images import (
    MATRICES,
    exif,
    jpeg,
    pattern,
    png,
    set_display_matrix,
    stored,
    write_frame,
    write_video,
)
from train.clips.decode import decode_frames
from train.corpora.utterance import VideoSegment

ORIENTATIONS = sorted(MATRICES)


def decoded(path: Path) -> Picture:
    return next(read_frames(path, FrameGrid(5.0))).framed


def seen(path: Path) -> np.ndarray:
    return next(read_frames(path, FrameGrid(5.0))).image


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_video_is_upright_by_its_display_matrix(tmp_path: Path, orientation: int) -> None:
    path = set_display_matrix(write_frame(tmp_path / "a.mov", stored(pattern(), orientation)), MATRICES[orientation])
    np.testing.assert_array_equal(seen(path), pattern())
    np.testing.assert_array_equal(next(decode_frames(VideoSegment(path), 5.0, 6.0)).image, pattern())


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_video_has_the_orientation_of_ffmpeg(tmp_path: Path, orientation: int) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    path = set_display_matrix(write_frame(tmp_path / "a.mov", pattern()), MATRICES[orientation])
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-frames:v", "1", "-"]
    shown = subprocess.run(command, capture_output=True, check=True).stdout
    np.testing.assert_array_equal(seen(path).ravel(), np.frombuffer(shown, np.uint8))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_still_is_upright_by_its_exif_data(tmp_path: Path, orientation: int, order: str) -> None:
    path = jpeg(tmp_path / "a.jpg", stored(pattern(), orientation), orientation, order)
    np.testing.assert_allclose(seen(path), pattern(), atol=4)
    np.testing.assert_allclose(seen(path), cv2.imread(str(path))[..., ::-1], atol=4, err_msg="as OpenCV turns it")


@pytest.mark.skipif(av.library_versions["libavcodec"] < (62, 28), reason="FFmpeg before 8.1 reads no EXIF of PNG")
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_png_is_upright_by_its_exif_data(tmp_path: Path, orientation: int) -> None:
    path = png(tmp_path / "a.png", stored(pattern(), orientation), orientation)
    np.testing.assert_array_equal(seen(path), pattern())


@pytest.mark.parametrize("orientation", [0, 9, 1000])
def test_an_invalid_orientation_rotates_nothing(tmp_path: Path, orientation: int) -> None:
    said = seen(jpeg(tmp_path / "a.jpg", pattern(), orientation))
    np.testing.assert_array_equal(said, seen(jpeg(tmp_path / "b.jpg", pattern())))


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 0, 1, 0), Orientation(False, False, False)),
        ((0, 0, 0, 0, 0, 0), Orientation(False, False, False)),
        ((9, 4, 0, -4, 9, 0), Orientation(False, False, False)),
        ((4, 9, 0, -9, 4, 0), Orientation(True, True, False)),
        ((2, 0, 0, 0, -2, 0), Orientation(False, False, True)),
    ],
    ids=["upright", "nothing", "a little askew", "much askew", "flipped and scaled"],
)
def test_a_display_matrix_is_rounded_to_right_angles(matrix: tuple[int, ...], expected: Orientation) -> None:
    assert nearest_orientation((*matrix, 0, 0, 1)) == expected


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(4, 3), (64, 32)),
        (Fraction(3, 4), (48, 43)),
        (Fraction(16, 11), (70, 32)),
        (Fraction(1), (48, 32)),
        (None, (48, 32)),
        (Fraction(1, 9), (48, 32)),
        (Fraction(65535, 1), (48, 32)),
    ],
)
def test_pixels_are_made_square_without_losing_any(aspect: Fraction | None, size: tuple[int, int]) -> None:
    assert square_pixel_size(48, 32, aspect) == size


@pytest.mark.parametrize("name", ["a.mov", "a.mp4", "a.ts"])
def test_a_video_of_wide_pixels_is_as_wide_as_in_players(tmp_path: Path, name: str) -> None:
    image = seen(write_frame(tmp_path / name, pattern(96, 96), Fraction(4, 3)))
    assert image.shape == (96, 128, 3)
    np.testing.assert_allclose(image[12::24, 16::32], pattern(128, 96)[12::24, 16::32], atol=12)


def test_a_sample_aspect_ratio_that_changes_midway_is_followed(tmp_path: Path) -> None:
    """As where a broadcast goes from 4:3 to 16:9."""
    content = b""
    for aspect in (Fraction(4, 3), Fraction(1)):
        part = write_video(tmp_path / "part.ts", [plain((90, 128, 128), "yuv420p", 96, 96)] * 5, "mpeg2video", aspect)
        content += part.read_bytes()
    both = tmp_path / "both.ts"
    both.write_bytes(content)
    shapes = [item.image.shape for item in read_frames(both, FrameGrid(5.0)) if isinstance(item, Frame)]
    assert (shapes[0], shapes[-1]) == ((96, 128, 3), (96, 96, 3))


def test_the_container_gives_the_sample_aspect_ratio(tmp_path: Path) -> None:
    path = write_frame(tmp_path / "a.mp4", pattern(96, 96), Fraction(4, 3))
    path.write_bytes(path.read_bytes().replace(b"pasp" + struct.pack(">2I", 4, 3), b"pasp" + struct.pack(">2I", 2, 1)))
    assert seen(path).shape == (96, 192, 3)


def test_the_sample_aspect_ratio_applies_before_rotation(tmp_path: Path) -> None:
    path = set_display_matrix(write_frame(tmp_path / "a.mov", stored(pattern(32, 48), 6), Fraction(4, 3)), MATRICES[6])
    assert seen(path).shape == (64, 32, 3)


KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Of red and of blue in luma, by the code points of H.273."""
COLOURS = [(126, 128, 128), (150, 110, 150), (90, 140, 120), (180, 140, 110), (60, 135, 125), (235, 128, 128)]


def by_the_standard(colour: tuple[int, int, int], matrix: int, is_full: bool) -> np.ndarray:
    """Red, green and blue in 0 to 255 (H.273, 8.3)."""
    luma, blueness, redness = colour
    floor, luma_range, chroma_range = (0, 255, 255) if is_full else (16, 219, 224)
    y, pb, pr = (luma - floor) / luma_range, (blueness - 128) / chroma_range, (redness - 128) / chroma_range
    kr, kb = KR_KB[matrix]
    red, blue = y + 2 * (1 - kr) * pr, y + 2 * (1 - kb) * pb
    return np.clip(255 * np.array([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue]), 0, 255)


def plain(colour: tuple[int, ...], pixels: str, width: int = 64, height: int = 48) -> av.VideoFrame:
    """A frame of one colour."""
    frame = av.VideoFrame(width, height, pixels)
    for plane, value in zip(frame.planes, colour, strict=True):
        np.frombuffer(plane, np.uint8)[:] = value
    return frame


def shown(path: Path, pixels: str, matrix: int, color_range: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """What is seen of the colours, in the middle of a picture each."""
    made = write_video(path, [plain(colour, pixels, *size) for colour in COLOURS], "ffv1", None, matrix, color_range)
    return np.stack([frame.image[size[1] // 2, size[0] // 2] for frame in read_frames(made, FrameGrid(5.0))])


@pytest.mark.parametrize(("pixels", "tolerance"), [("yuv444p", 1), ("yuv420p", 3)])
@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", KR_KB)
def test_colours_are_those_of_the_matrix_and_the_range(
    tmp_path: Path, pixels: str, tolerance: int, is_full: bool, matrix: int
) -> None:
    """libswscale rounds where each pixel has its chroma; where four share one it adds up tables of whole numbers."""
    expected = [by_the_standard(colour, matrix, is_full) for colour in COLOURS]
    np.testing.assert_allclose(shown(tmp_path / "a.mkv", pixels, matrix, 2 if is_full else 1), expected, atol=tolerance)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", KR_KB)
def test_colours_of_parts_are_those_of_the_matrix_and_the_range_too(
    tmp_path: Path, pixels: str, is_full: bool, matrix: int
) -> None:
    frames = [plain(colour, pixels) for colour in COLOURS]
    made = write_video(tmp_path / "a.mkv", frames, "ffv1", None, matrix, 2 if is_full else 1)
    for frame, colour in zip(read_frames(made, FrameGrid(5.0)), COLOURS, strict=True):
        assert isinstance(frame.framed, YuvImage)
        part = resized_part(frame.framed, Box(9, 8, 31, 30), 4, 4)
        np.testing.assert_allclose(part[2, 2], by_the_standard(colour, matrix, is_full), atol=1)


def test_a_part_is_that_of_libswscale_s_image(recordings: list[Path]) -> None:
    for path in recordings:
        frame = next(iter(read_frames(path, FrameGrid(5.0))))
        box = Box(101, 51, 141, 141)
        part, expected = resized_part(frame.framed, box, 64, 64), resize(cut(frame.image, box), 64, 64)
        assert np.abs(part.astype(float) - expected).mean() < 2.5, "libswscale rounds down"


def test_what_is_kept_is_framed_to_the_last_bit(recordings: list[Path]) -> None:
    frame = next(iter(read_frames(recordings[0], FrameGrid(5.0))))
    converted = frame.image
    frame.keep()
    assert frame.framed is frame.image
    np.testing.assert_array_equal(frame.image, converted)


@pytest.mark.parametrize("pixels", ["yuv420p", "gray"])
def test_what_is_not_upright_or_of_other_planes_or_pixels_is_converted_at_once(tmp_path: Path, pixels: str) -> None:
    colour = (60, 128, 128)[: 1 if pixels == "gray" else 3]
    wide = write_video(tmp_path / "a.ts", [plain((90, 128, 128), "yuv420p", 96, 96)] * 5, "mpeg2video", Fraction(4, 3))
    square = write_video(tmp_path / "b.mkv", [plain(colour, pixels)] * 2, "ffv1", None, 5, 1)
    rotated = set_display_matrix(write_frame(tmp_path / "c.mov", pattern()), MATRICES[6])
    assert [isinstance(decoded(path), np.ndarray) for path in (wide, square, rotated)] == [True, pixels == "gray", True]


def test_rows_from_the_bottom_up_are_converted_at_once(tmp_path: Path) -> None:
    """As of raw AVI: FFmpeg gives such planes a negative line size, as its filter that flips does."""
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        image = np.zeros((48, 64, 3), np.uint8)
        image[:12] = 255
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
    path.write_bytes(from_the_bottom_up(path.read_bytes()))
    framed = resized_part(decoded(path), Box(0, 0, 64, 48), 48, 64)
    assert framed[-10:].mean() > 250
    assert framed[:-14].mean() < 5


def from_the_bottom_up(avi: bytes) -> bytes:
    """Return a raw AVI whose header says, as FFmpeg's own do, that its rows are stored so."""
    said = b"BottomUp\0"
    changed, at = bytearray(avi), avi.index(b"strf") + 4
    lists = [4, avi.index(b"LIST") + 4, avi.index(b"LIST", avi.index(b"LIST") + 4) + 4]
    for place, more in [(at, len(said)), (at + 4, len(said)), *((place, len(said) + 1) for place in lists)]:
        struct.pack_into("<I", changed, place, struct.unpack_from("<I", changed, place)[0] + more)
    end = at + 4 + struct.unpack_from("<I", avi, at)[0]
    changed[end:end] = said + b"\0"
    return bytes(changed)


@pytest.mark.parametrize(
    ("size", "matrix"), [((720, 576), 6), ((1280, 720), 1), ((720, 1280), 1), ((640, 480), 6)], ids=str
)
def test_a_video_without_a_matrix_has_that_of_its_size(tmp_path: Path, size: tuple[int, int], matrix: int) -> None:
    expected = [by_the_standard(colour, matrix, False) for colour in COLOURS]
    np.testing.assert_allclose(shown(tmp_path / "a.mkv", "yuv444p", 2, 0, size), expected, atol=1)


def test_a_still_that_is_larger_than_any_camera_s_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = jpeg(tmp_path / "a.jpg", np.zeros((8, 20_000, 3), np.uint8))
    with pytest.raises(SourceError, match=r"a\.jpg has frames of 20000x8 pixels; .*; scale it down"):
        seen(path)


def test_a_large_still_is_bt_601_and_full_range(tmp_path: Path) -> None:
    image = np.full((800, 1400, 3), (170, 90, 60), np.uint8)
    np.testing.assert_allclose(seen(jpeg(tmp_path / "a.jpg", image)), image, atol=2)


def test_motion_jpeg_is_full_range(tmp_path: Path) -> None:
    made = write_video(tmp_path / "a.avi", [plain((235, 128, 128), "yuvj420p")] * 3, "mjpeg", None, 5, 2)
    np.testing.assert_allclose(seen(made), 235, atol=2)


@pytest.mark.parametrize(("color_range", "grey"), [(0, 60), (1, 51), (2, 60)], ids=["unsaid", "limited", "full"])
def test_a_grey_video_has_its_range(tmp_path: Path, color_range: int, grey: int) -> None:
    """(60 - 16) * 255 / 219 = 51.2."""
    made = write_video(tmp_path / "a.mkv", [plain((60,), "gray")] * 2, "ffv1", None, 2, color_range)
    assert (seen(made) == grey).all()


def test_converted_frames_are_freed_at_once(tmp_path: Path) -> None:
    """With their threads, of which a circle of objects would hold some dozens a stream."""
    path = write_video(tmp_path / "a.mkv", [plain((60,), "gray")] * 6, "ffv1", None, 2, 1)
    gc.collect()
    gc.disable()
    others = [found for found in gc.get_objects() if type(found) is av.VideoFrame]  # kept alive: no id is used again
    try:
        assert len(list(read_frames(path, FrameGrid(25.0)))) == 6
        left = sum(type(found) is av.VideoFrame for found in gc.get_objects()) - len(others)
    finally:
        gc.enable()
    assert left == 0


def test_exif_data_is_as_the_standard_has_it() -> None:
    assert exif(6, ">") == bytes.fromhex("4d4d002a00000008 0001 0112 0003 00000001 0006 0000 00000000".replace(" ", ""))
