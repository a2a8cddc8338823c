"""Files whose clock restarts or jumps: video and audio go on at once, and stay together."""

import logging
from pathlib import Path

import av
import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.preprocess.media import Block, Discontinuity, Frame
from edge.preprocess.windowing import FrameGrid
from edge.sources.media import MediaFile, read_frames, read_timed_images

from .made_media import READ_HZ, Change, beep_times, flash_times, moved, write

SOUND, PICTURE = AudioSpec(READ_HZ, 6.0), VideoSpec(25.0, 8, 8, "whole")
HOURS_S = 5 * 3600


def together(path: Path, expected_s: list[float], caplog: pytest.LogCaptureFixture, jumps: int) -> None:
    """Beeps and flashes come at these times, and together; jumps are told once each, and said once."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        media = list(MediaFile(path, SOUND, PICTURE).read())
    assert beep_times(media) == pytest.approx(expected_s, abs=0.1)
    assert np.subtract(beep_times(media), flash_times(media)) == pytest.approx(0, abs=0.06)
    assert sum(isinstance(item, Discontinuity) for item in media) == jumps
    times_ns = [item.end_ns for item in media]
    assert times_ns == sorted(times_ns)
    assert [" clock jumps" in said for said in caplog.messages] == [True]


def test_a_spliced_transport_stream_goes_on(tmp_path, caplog) -> None:
    one = write(tmp_path / "one.ts", ("mpeg2video", "mp2"), [1.0, 3.0]).read_bytes()
    spliced = tmp_path / "spliced.ts"
    spliced.write_bytes(one + one)
    together(spliced, [1, 3, 5, 7], caplog, 1)
    spliced.write_bytes(one * 3)
    together(spliced, [1, 3, 5, 7, 9, 11], caplog, 2)


@pytest.mark.parametrize(("name", "codecs"), [("a.mkv", ("mpeg4", "aac")), ("a.ts", ("mpeg2video", "mp2"))])
def test_a_clock_that_jumps_by_hours_leaves_no_gap(tmp_path, caplog, name: str, codecs: tuple[str, str]) -> None:
    jump = moved(lambda time_s: HOURS_S if time_s >= 2.0 else 0.0)
    path = write(tmp_path / name, codecs, [1.0, 3.0], change=jump, change_picture=jump)
    together(path, [1, 3], caplog, 1)


def test_a_transport_stream_whose_clock_wraps_goes_on_without_a_warning(tmp_path, caplog) -> None:
    """33 bits at 90 kHz: after 26.5 hours the clock begins again."""
    late = moved(lambda time_s: 2**33 / 90000 - 2.0)
    path = write(tmp_path / "wrap.ts", ("mpeg2video", "mp2"), [1.0, 3.0], change=late, change_picture=late)
    media = list(MediaFile(path, SOUND, PICTURE).read())
    assert beep_times(media) == pytest.approx([1, 3], abs=0.1)
    assert np.subtract(beep_times(media), flash_times(media)) == pytest.approx(0, abs=0.06)
    assert not caplog.messages


def test_a_format_whose_clock_may_restart_is_not_sought(tmp_path) -> None:
    one = write(tmp_path / "one.ts", ("mpeg2video", "mp2")).read_bytes()
    path = tmp_path / "spliced.ts"
    path.write_bytes(one + one)
    assert next(read_timed_images(path, 5.0))[1] < 0.1
    assert next(read_timed_images(write(tmp_path / "a.mkv", ("mpeg4", "aac")), 3.0))[1] > 0.5


def test_one_track_alone_has_the_same_timeline(tmp_path) -> None:
    """Whoever reads the pictures or the sound alone finds them where both are found together."""
    one = write(tmp_path / "one.ts", ("mpeg2video", "mp2")).read_bytes()
    path = tmp_path / "spliced.ts"
    path.write_bytes(one + one)
    both = list(MediaFile(path, SOUND, PICTURE).read())
    alone = list(MediaFile(path, SOUND, None).read())
    assert [e.end_ns for e in both if isinstance(e, Block)] == [e.end_ns for e in alone if isinstance(e, Block)]
    frames = [frame.end_ns for frame in read_frames(path, FrameGrid(25.0)) if isinstance(frame, Frame)]
    assert [item.end_ns for item in both if isinstance(item, Frame)] == frames


def only(begin_s: float, end_s: float, later_s: float = 0.0) -> Change:
    """Leave out all else, and move what is kept."""
    later = moved(lambda _: later_s)
    return lambda packet: later(packet) if begin_s <= packet.pts * packet.time_base < end_s else None


def is_as_it_was(path: Path) -> None:
    media = list(MediaFile(path, SOUND, PICTURE).read())
    assert max(item.end_ns for item in media) < 4.3e9
    assert beep_times(media) == pytest.approx([1, 3], abs=0.1)
    assert flash_times(media) == pytest.approx([1, 3], abs=0.15)


def test_a_frame_whose_timestamp_is_hours_off_leaves_no_gap(tmp_path) -> None:
    def astray(packet: av.Packet) -> av.Packet:
        if 2.0 <= packet.pts * packet.time_base < 2.03:
            packet.pts += round(HOURS_S / packet.time_base)
        return packet

    is_as_it_was(write(tmp_path / "a.ts", ("mpeg2video", "mp2"), [1.0, 3.0], change_picture=astray))


def test_one_timestamp_that_is_hours_off_costs_no_later_frames(tmp_path) -> None:
    """The decoder gives the picture before it only when it has the one after it."""
    parts = [(only(-1, 2.0), only(-1, 2.0)), (only(9, 9), only(2.0, 2.03, HOURS_S)), (only(2.0, 9), only(2.03, 9))]
    path = tmp_path / "all.ts"
    with path.open("wb") as file:
        for change, change_picture in parts:
            part = write(
                tmp_path / "part.ts",
                ("mpeg2video", "mp2"),
                [1.0, 3.0],
                change=change,
                change_picture=change_picture,
            )
            file.write(part.read_bytes())
    is_as_it_was(path)
