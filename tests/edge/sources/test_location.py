"""Names that are files, addresses that are none, and servers that never answer."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.manifest import VideoSpec
from edge.errors import SourceError
from edge.preprocess.windowing import FrameGrid
from edge.sources import decoding
from edge.sources import location as place
from edge.sources.location import call_within, is_address, parse_location
from edge.sources.media import MediaFile, probe, read_frames
from tests.edge.sources.silent import silent_server

NAMES = [
    "2026-11-28T12:30:05.mp4", "-x.mp4", "a%20b.mp4", "a b#c?d.mp4", "concat:x.mp4", "concat:x|y.mp4", "data:,x.mp4",
    "http:foo.mp4", "file:x.mp4", "pipe:0", "subfile,,start,1,end,9,,:x.mp4", "é\n.mp4",
]  # fmt: skip


@pytest.fixture
def clip(tmp_path, make_clip) -> bytes:
    return make_clip(tmp_path / "clip.mp4", np.zeros((3, 24, 32, 3), np.uint8), codecs=("mpeg4", "")).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_what_exists_as_a_file_is_opened_as_a_file(tmp_path, monkeypatch, clip, name: str) -> None:
    (tmp_path / name).write_bytes(clip)
    monkeypatch.chdir(tmp_path)
    for path in (parse_location(name), parse_location(name, tmp_path), tmp_path / name):
        assert probe(path) == (False, True)
        assert MediaFile(path, None, VideoSpec(5.0, 8, 8, "whole")).name == str(path)


@pytest.mark.parametrize("name", ["http://x/clip.mp4", "RTSP://x"])
def test_even_a_name_like_an_address_is_a_file_where_it_exists(tmp_path, monkeypatch, clip, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(parents=True)
    assert parse_location(name) == name
    Path(name).write_bytes(clip)
    assert parse_location(name) == Path(name)
    assert probe(parse_location(name)) == (False, True)


def test_a_file_uri_is_a_path(tmp_path, clip) -> None:
    (tmp_path / "a b.mp4").write_bytes(clip)
    assert parse_location(f"FILE://{tmp_path}/a%20b.mp4") == tmp_path / "a b.mp4"


@pytest.mark.parametrize("name", ["a%03d.png", "a*.png", "a?.png"])
def test_a_name_that_looks_like_a_pattern_is_one_image(tmp_path, name: str) -> None:
    cv2 = pytest.importorskip("cv2")
    for other, grey in ((name, 200), ("a001.png", 10), ("ab.png", 10)):
        (tmp_path / other).write_bytes(cv2.imencode(".png", np.full((8, 8, 3), grey, np.uint8))[1].tobytes())
    frames = list(read_frames(tmp_path / name, FrameGrid(5.0)))
    assert [int(frame.image.mean()) for frame in frames] == [200]


@pytest.mark.parametrize("name", ["concat:gone.mp4", "data:,x", "pipe:0", "http:gone", "lavfi:testsrc", ""])
def test_what_does_not_exist_and_is_no_address_is_no_file(tmp_path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_address(name)
    with pytest.raises(SourceError, match=r"no such file|is a directory"):
        probe(parse_location(name))


def test_what_is_no_regular_file_is_refused_at_once(tmp_path) -> None:
    os.mkfifo(tmp_path / "fifo.mp4")
    for path, kind in ((tmp_path / "fifo.mp4", "a pipe"), (tmp_path, "a directory"), (Path("/dev/zero"), "a device")):
        with pytest.raises(SourceError) as refused:
            probe(path)
        assert str(refused.value).startswith(f"{path} is {kind}, a regular file is expected")


@pytest.mark.parametrize("address", ["rtmp", "srt", "udp", "RTSP", "rtsps", "tcp", "mms", "Https", "rtsp+x"])
def test_any_scheme_in_any_case_is_an_address(address: str) -> None:
    assert is_address(f"{address}://127.0.0.1:1/x")
    assert parse_location(f"{address}://127.0.0.1:1/x", Path("folder")) == f"{address}://127.0.0.1:1/x"


@pytest.mark.parametrize("scheme", ["http", "HTTP", "rtsp", "Rtsp", "rtmp", "tcp", "mms"])
def test_an_address_where_nobody_listens_is_named_as_it_was_given(scheme: str) -> None:
    with silent_server() as port:
        pass
    with pytest.raises(SourceError) as refused:
        probe(f"{scheme}://user:s3cr3t@127.0.0.1:{port}//a//b.mp4")
    said = f"cannot open {scheme}://***@127.0.0.1:{port}//a//b.mp4: Connection refused; check the address"
    assert str(refused.value).startswith(said)


def test_a_scheme_that_ffmpeg_does_not_know_is_named() -> None:
    with pytest.raises(SourceError, match=r"cannot open foo://x/y: the FFmpeg that PyAV brings knows no foo://"):
        probe("foo://x/y")


HALF = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 100000\r\n\r\n\0\0\0\x18ftypmp42"


@pytest.mark.parametrize(
    ("scheme", "says"),
    [("http", b""), ("http", b"HTTP/1.1 200 OK\r\n"), ("http", HALF), ("https", b""), ("https", b"\x16\x03\x03"),
     ("rtsp", b""), ("rtsps", b""), ("rtmp", b""), ("tcp", b"")],
)  # fmt: skip
def test_a_silent_server_times_out(monkeypatch, scheme: str, says: bytes) -> None:
    monkeypatch.setattr(place, "CONNECT_TIMEOUT_S", 0.5)
    with silent_server(says) as port, pytest.raises(SourceError) as refused:
        probe(f"{scheme}://127.0.0.1:{port}/clip.mp4")
    assert str(refused.value).startswith(f"cannot open {scheme}://127.0.0.1:{port}/clip.mp4: no answer within 0.5 s; ")


def test_an_answer_may_take_five_seconds() -> None:
    with silent_server() as port, pytest.raises(SourceError, match="no answer within 5 s; check the address"):
        probe(f"http://127.0.0.1:{port}/clip.mp4")


def test_a_server_that_falls_silent_ends_the_reading(tmp_path, make_clip, caplog, monkeypatch) -> None:
    for module in (decoding, place):
        monkeypatch.setattr(module, "CONNECT_TIMEOUT_S", 2.0)
    noise = np.random.default_rng(0).integers(0, 256, (60, 96, 128, 3), dtype=np.uint8)
    body = make_clip(tmp_path / "a.flv", noise, codecs=("flv", "")).read_bytes()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nContent-Length: %d\r\n\r\n" % len(body)
    with silent_server(head + body[: len(body) * 3 // 4]) as port:
        address = f"http://127.0.0.1:{port}/a.flv"
        frames = read_frames(address, FrameGrid(5.0))
        assert next(frames).end_ns == 0
        assert 0 < len(list(frames)) < len(list(read_frames(tmp_path / "a.flv", FrameGrid(5.0)))) - 1
    (said,) = caplog.messages
    assert said.startswith(f"{address}: ends early, after ")
    assert "no answer within 2 s" in said


def test_a_call_that_hangs_is_abandoned() -> None:
    hangs = threading.Event()
    with pytest.raises(TimeoutError, match="no answer"):
        call_within(0.05, "hangs", hangs.wait)
    hangs.set()
    assert call_within(30, "comes", lambda: 3) == 3
    with pytest.raises(KeyError):
        call_within(30, "breaks", {}.popitem)
