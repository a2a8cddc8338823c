"""In real time frames are left out undecoded, and those that are used are the same to the last bit."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags

from edge.bundle.manifest import VideoSpec
from edge.preprocess.media import Frame, Media
from edge.preprocess.windowing import FrameGrid
from edge.sources.decoding import Decoder, open_container
from edge.sources.defects import Defects
from edge.sources.media import MediaFile
from edge.sources.sparse_decoding import SparseDecoder, can_be_sparse

from .made_media import FPS, between, damaged, write

SECONDS, RATE_HZ = 4, 5.0
FILMS = [
    ("a.ts", "mpeg2video", 0),
    ("a.ts", "mpeg2video", 2),
    ("a.mpg", "mpeg1video", 2),
    ("a.mkv", "mpeg2video", 1),
    ("a.mp4", "mpeg4", 2),
    ("a.avi", "mpeg4", 2),
    ("a.avi", "mjpeg", 0),
    ("a.mov", "mjpeg", 0),
    ("a.mov", "prores", 0),
    ("a.m2v", "mpeg2video", 2),
    ("a.h264", "libx264", 3),
    ("a.webm", "libvpx", 0),
    *((name, "libx264", b_frames) for name in ("a.mp4", "a.mkv", "a.ts", "a.flv", "a.avi") for b_frames in (0, 3)),
]


def film(
    path: Path,
    codec: str,
    b_frames: int,
    *,
    interlaced: bool = False,
    size: tuple[int, int] = (64, 48),
    fps: int = FPS,
) -> Path:
    """A hundred frames that all differ, four seconds of them unless `fps` is said."""
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = {"prores": "yuv422p10le", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        stream.codec_context.max_b_frames = b_frames
        if interlaced:
            stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        for number in range(SECONDS * FPS):
            grey = (2 * number + np.add.outer(np.arange(size[1]), np.arange(size[0]))) % 256
            frame = av.VideoFrame.from_ndarray(np.uint8(np.repeat(grey[..., None], 3, axis=2)), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def media_of(path: Path, *, in_real_time: bool, dropped: Counter[str] | None = None) -> list[Media]:
    spec = VideoSpec(RATE_HZ, 8, 8, "whole")
    return list(MediaFile(path, None, spec, dropped=dropped, in_real_time=in_real_time).read())


def assert_same(path: Path) -> None:
    """All frames and discontinuities are those of a reader that decodes everything."""
    whole, sparse = media_of(path, in_real_time=False), media_of(path, in_real_time=True)
    assert [(type(item), item.end_ns) for item in sparse] == [(type(item), item.end_ns) for item in whole]
    for one, other in zip(sparse, whole, strict=True):
        if isinstance(one, Frame) and isinstance(other, Frame):
            np.testing.assert_array_equal(one.image, other.image)


def decoded_frames(path: Path) -> int:
    """Number of frames that are decoded for a grid of 5 Hz."""
    with open_container(path) as container:
        stream = container.streams.video[0]
        grid = FrameGrid(RATE_HZ)
        decoder = SparseDecoder(container, stream, Defects("it"), grid, lambda item: item.pts)
        return sum(decoded.frame is not None for decoded in decoder)


@pytest.mark.parametrize(("name", "codec", "b_frames"), FILMS)
def test_the_frames_are_those_of_a_decoder_of_everything(tmp_path, name: str, codec: str, b_frames: int) -> None:
    path = film(tmp_path / name, codec, b_frames)
    assert sum(isinstance(item, Frame) for item in media_of(path, in_real_time=True)) >= SECONDS * RATE_HZ
    assert_same(path)


@pytest.mark.parametrize(
    ("name", "codec", "b_frames", "frames"),
    [
        ("a.mov", "mjpeg", 0, 21),  # one a slot, and the second of all: nothing is left out before the first has come
        ("a.ts", "mpeg2video", 0, 100),
        ("a.mkv", "mpeg2video", 1, 62),
        ("a.ts", "mpeg2video", 2, 48),
        ("a.h264", "libx264", 3, 100),
    ],
)
def test_only_pictures_that_something_needs_are_decoded(tmp_path, name, codec, b_frames: int, frames: int) -> None:
    assert decoded_frames(film(tmp_path / name, codec, b_frames)) == frames


def test_interlaced_pictures_are_all_decoded(tmp_path) -> None:
    path = film(tmp_path / "a.ts", "mpeg2video", 2, interlaced=True)
    assert decoded_frames(path) > 90
    assert_same(path)


@pytest.mark.parametrize(
    ("name", "codec", "is_possible"),
    [
        ("a.avi", "mjpeg", True),
        ("a.avi", "mpeg2video", False),
        ("a.mkv", "mpeg2video", True),
        ("a.mkv", "mpeg4", False),
    ],
)
def test_what_can_be_left_out_depends_on_codec_and_container(tmp_path, name, codec, is_possible: bool) -> None:
    with open_container(film(tmp_path / name, codec, 0)) as container:
        assert can_be_sparse(container, container.streams.video[0]) is is_possible


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "mjpeg"), ("a.mkv", "mpeg2video"), ("a.ts", "mpeg2video")])
def test_after_a_damaged_picture_the_next_of_its_slot_is_used(tmp_path, name: str, codec: str) -> None:
    audio = "aac" if name == "a.mov" else "mp2"
    path = write(tmp_path / name, (codec, audio), change_picture=damaged(1.99, 2.01))
    assert_same(path)


@pytest.mark.parametrize(("begin_s", "count"), [(1.99, 1), (2.03, 0)])
def test_damage_is_counted_where_it_is_met(tmp_path, begin_s: float, count: int) -> None:
    """The frame at 2 s is used, the one at 2.04 s is not."""
    path = write(tmp_path / "a.mov", ("mjpeg", "aac"), change_picture=damaged(begin_s, begin_s + 0.02))
    whole, sparse = Counter[str](), Counter[str]()
    media_of(path, in_real_time=False, dropped=whole)
    media_of(path, in_real_time=True, dropped=sparse)
    assert (whole["packets_damaged"], sparse["packets_damaged"]) == (1, count)


def test_lost_pictures_and_a_clock_that_restarts_change_nothing(tmp_path) -> None:
    one = film(tmp_path / "one.ts", "mpeg2video", 2).read_bytes()
    spliced = tmp_path / "spliced.ts"
    spliced.write_bytes(one + one[188 * 40 :] + one)
    assert_same(spliced)
    assert_same(write(tmp_path / "a.mkv", ("mjpeg", "aac"), change_picture=between(0.9, 1.3)))


def test_several_threads_leave_out_the_same(tmp_path) -> None:
    path = film(tmp_path / "a.mkv", "mjpeg", 0, size=(640, 480), fps=240)
    assert_same(path)


def test_a_decoder_of_everything_decodes_everything(tmp_path) -> None:
    with open_container(film(tmp_path / "a.ts", "mpeg2video", 2)) as container:
        decoder = Decoder[av.VideoFrame](container, container.streams.video[0], Defects("it"))
        assert sum(decoded.frame is not None for decoded in decoder) == SECONDS * FPS
