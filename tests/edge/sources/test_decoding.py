"""Damaged, truncated and undecodable files in every container: the rest is read, and the defect reported once."""

import logging
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import av
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import SourceError
from edge.preprocess.media import Block, Discontinuity
from edge.sources.decoding import Decoder
from edge.sources.defects import Defects
from edge.sources.media import MediaFile

from .made_media import READ_HZ, beep_times, between, damaged, flash_times, moved, write
from .test_network_camera import serving

SOUND, PICTURE = AudioSpec(READ_HZ, 6.0), VideoSpec(25.0, 8, 8, "whole")
CONTAINERS = [
    ("a.mp4", "mpeg4", "aac"),
    ("a.mkv", "mpeg4", "aac"),
    ("a.webm", "libvpx", "libopus"),
    ("a.ts", "mpeg2video", "aac"),
    ("a.avi", "mpeg4", "libmp3lame"),
    ("a.flv", "flv", "aac"),
    ("a.ogg", "", "flac"),
    ("a.mp3", "", "libmp3lame"),
    ("a.wav", "", "adpcm_ima_wav"),
    ("a.m4a", "", "aac"),
]
TELLING = ("a.mp4", "a.m4a", "a.mkv", "a.webm", "a.flv", "a.wav")


def media_file(path: Path | str, *, image: bool, dropped: Counter[str] | None = None) -> MediaFile:
    return MediaFile(path, SOUND, PICTURE if image else None, dropped=dropped)


@pytest.mark.parametrize(("name", "video", "audio"), CONTAINERS)
def test_damaged_audio_is_skipped_and_reported_once(tmp_path, caplog, name: str, video: str, audio: str) -> None:
    dropped = Counter[str]()
    rate_hz = 44100 if name == "a.flv" else 48000
    path = write(tmp_path / name, (video, audio), [1, 3.5], rate_hz=rate_hz, change=damaged(1.5, 1.6))
    with caplog.at_level(logging.WARNING):
        media = list(media_file(path, image=bool(video), dropped=dropped).read())
    # A bare MP3 has no times: what is lost of it, 0.1 s, is not known.
    assert beep_times(media) == pytest.approx([1, 3.4 if name == "a.mp3" else 3.5], abs=0.03)
    assert not any(isinstance(item, Discontinuity) for item in media)
    [said] = caplog.messages
    assert said.startswith(f"{path} at 1.5")
    # Opus takes anything for a packet, of which then nothing is heard.
    assert "s without audio" in said if audio == "libopus" else "damaged audio is skipped" in said
    assert bool(dropped["packets_damaged"]) is (audio != "libopus")


@pytest.mark.parametrize(("name", "video", "audio"), [row for row in CONTAINERS if row[1]])
def test_damaged_frames_are_skipped(tmp_path, caplog, name: str, video: str, audio: str) -> None:
    rate_hz = 44100 if name == "a.flv" else 48000
    path = write(tmp_path / name, (video, audio), [1, 3.5], rate_hz=rate_hz, change_picture=damaged(1.5, 1.6))
    media = list(media_file(path, image=True).read())
    assert beep_times(media) == pytest.approx([1, 3.5], abs=0.03)
    assert flash_times(media) == pytest.approx([1, 3.5], abs=0.07)
    assert all("video" in said for said in caplog.messages)


@pytest.mark.parametrize(("name", "video", "audio"), CONTAINERS)
def test_a_truncated_file_gives_what_is_left_of_it(tmp_path, caplog, name: str, video: str, audio: str) -> None:
    rate_hz = 44100 if name == "a.flv" else 48000
    content = write(tmp_path / name, (video, audio), [0.5, 3.5], rate_hz=rate_hz, noise=0.1).read_bytes()
    torn = tmp_path / f"torn-{name}"
    torn.write_bytes(content[: len(content) * 6 // 10])
    with caplog.at_level(logging.WARNING):
        media = list(media_file(torn, image=bool(video)).read())
    audio_s = max(item.end_ns for item in media if isinstance(item, Block)) / 1e9
    assert 1.5 < audio_s < 3.0
    assert beep_times(media) == pytest.approx([0.5], abs=0.03)
    # Of the others nobody can see that they were longer, unless the last packet is torn.
    assert caplog.messages or name not in TELLING
    assert all("ends early" in said or "damaged" in said for said in caplog.messages)


@pytest.mark.parametrize(("name", "audio"), [("a.wav", "pcm_s24le"), ("a.aiff", "pcm_s16be"), ("a.flac", "flac")])
def test_truncated_audio_without_frames_is_reported_too(tmp_path, caplog, name: str, audio: str) -> None:
    content = write(tmp_path / name, ("", audio), [0.5, 3.5], noise=0.1).read_bytes()
    torn = tmp_path / f"torn-{name}"
    torn.write_bytes(content[: len(content) // 2])
    assert beep_times(media_file(torn, image=False).read()) == pytest.approx([0.5], abs=0.03)
    assert any("ends early, after" in said for said in caplog.messages)


def test_a_server_that_ends_midway_gives_what_is_left(tmp_path, caplog) -> None:
    content = write(tmp_path / "a.mkv", ("mpeg4", "aac"), [0.5, 3.5], noise=0.1).read_bytes()

    class Half(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) * 6 // 10])

        def log_message(self, *_: object) -> None:
            pass

    with serving(Half) as address, caplog.at_level(logging.WARNING):
        media = list(media_file(f"{address}/a.mkv", image=True).read())
    assert beep_times(media) == pytest.approx([0.5], abs=0.03)
    (said,) = caplog.messages
    assert "ends early" in said
    assert "Input/output error" in said


@pytest.mark.parametrize("word", ["audio", "video"])
def test_a_track_of_which_nothing_can_be_decoded_is_an_error(tmp_path, word: str) -> None:
    changes = {"change" if word == "audio" else "change_picture": damaged(-1, 9)}
    path = write(tmp_path / "a.mkv", ("mpeg4", "libmp3lame"), **changes)
    with pytest.raises(SourceError, match=rf"a\.mkv: none of its {word} can be decoded; give a file that ffmpeg plays"):
        list(media_file(path, image=True).read())


def test_a_trimmed_video_begins_where_it_was_trimmed(tmp_path, caplog) -> None:
    """Cut without encoding anew: what is before the cut is still there, and an edit list leaves it out."""
    earlier = moved(lambda _: -1.5)
    path = write(tmp_path / "a.mp4", ("mpeg4", "aac"), [1, 3.5], change=earlier, change_picture=earlier)
    media = list(media_file(path, image=True).read())
    assert beep_times(media) == pytest.approx([2.0], abs=0.03)
    assert flash_times(media) == pytest.approx([2.0], abs=0.05)
    assert not any(isinstance(item, Discontinuity) for item in media)
    assert not caplog.messages


def test_an_empty_packet_repeats_the_last_frame(tmp_path, caplog) -> None:
    """Theora has them where nothing moves, and NUT keeps them."""
    cut_s = 1.5, 1.7

    def emptied(packet: av.Packet) -> av.Packet:
        if between(*cut_s)(packet):
            return packet
        empty = av.Packet(b"")
        empty.stream, empty.time_base, empty.duration = packet.stream, packet.time_base, packet.duration
        empty.pts, empty.dts = packet.pts, packet.dts
        return empty

    path = write(tmp_path / "a.nut", ("mpeg4", "aac"), [1, 3.5], change_picture=emptied)
    dropped = Counter[str]()
    media = list(media_file(path, image=True, dropped=dropped).read())
    assert flash_times(media) == pytest.approx([1, 3.5], abs=0.05)
    assert not caplog.messages
    assert not dropped


def test_a_clock_that_begins_late_makes_no_file_too_short(tmp_path, caplog) -> None:
    """Such a Matroska file announces as its length the time at which it ends."""
    late = moved(lambda _: 7200.0)
    path = write(tmp_path / "a.mkv", ("mpeg4", "aac"), [1, 3.5], change=late, change_picture=late)
    assert beep_times(media_file(path, image=True).read()) == pytest.approx([1, 3.5], abs=0.03)
    assert not caplog.messages


def test_a_change_of_the_codec_ends_a_file(tmp_path, caplog) -> None:
    """One Ogg file after another; FFmpeg gives up there."""
    first = write(tmp_path / "a.ogg", ("", "libopus"), [1, 3.5]).read_bytes()
    path = tmp_path / "chain.ogg"
    path.write_bytes(first + write(tmp_path / "b.ogg", ("", "flac")).read_bytes())
    assert beep_times(media_file(path, image=False).read()) == pytest.approx([1, 3.5], abs=0.03)
    assert [said.startswith(f"{path}: ends early, after 4.0") for said in caplog.messages] == [True]


class ComesLate:
    """A file at whose end PyAV trips over a track that came late, as it may do by chance."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self._container = container

    def __getattr__(self, name: str) -> object:
        return getattr(self._container, name)

    def demux(self) -> Iterator[av.Packet]:
        yield from (packet for packet in self._container.demux() if packet.size)
        raise IndexError("list index out of range")


def test_a_track_added_late_costs_the_others_nothing(tmp_path) -> None:
    with av.open(str(write(tmp_path / "a.mkv", ("mpeg4", "aac")))) as container:
        decoder = Decoder[av.VideoFrame](ComesLate(container), container.streams.video[0], Defects("it"))
        assert sum(decoded.frame is not None for decoded in decoder) == 100
