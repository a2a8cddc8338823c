"""Network cameras on loopback: the frames that are decoded, and when a camera is lost."""

import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from edge.bundle.manifest import VideoSpec
from edge.clock import SystemClock
from edge.errors import SourceError
from edge.preprocess.media import VIDEO_LOST_S, Frame
from edge.sources.base import Source
from edge.sources.devices import make_camera
from edge.sources.network_camera import MAX_PACKET_AGE_NS, FrameDecoder
from tests.edge.sources.made_images import jpeg as jpeg_of
from tests.edge.sources.made_images import pattern, stored
from tests.edge.sources.made_tracks import GreyTrack, ToneTrack, write

PICTURE = VideoSpec(5.0, 8, 8, "whole")
MS = 1_000_000
FPS = 25
GREY = 6
"""Each picture is this much brighter than the one before."""
HEAD = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


def make(address: str, dropped: Counter[str] | None = None) -> Source:
    return make_camera(address, PICTURE, SystemClock(), Counter() if dropped is None else dropped)


def jpeg(number: int) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), number * GREY % 256, np.uint8))[1].tobytes()


def part(body: bytes) -> bytes:
    return HEAD % len(body) + body + b"\r\n"


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


@contextmanager
def camera_of(pieces: Callable[[], Iterator[tuple[bytes, float]]]) -> Iterator[str]:
    """Address of a motion JPEG camera that sends pieces and waits after each, to every client anew."""

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
            self.end_headers()
            try:
                for piece, wait_s in pieces():
                    self.wfile.write(piece)
                    time.sleep(wait_s)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with serving(Camera) as address:
        yield address


def images(count: int | None = None) -> Iterator[tuple[bytes, float]]:
    for number in itertools.count() if count is None else range(count):
        yield part(jpeg(number)), 1 / FPS


def read_until_lost(address: str) -> tuple[list[Frame], float, str]:
    """Its frames, how long after the last of them it was lost, and what was said of it."""
    camera = make(address)
    camera.open()
    frames: list[Frame] = []
    try:
        for frame in camera.read():
            frames.append(frame)
    except SourceError as error:
        return frames, (time.monotonic_ns() - frames[-1].end_ns) / 1e9, str(error)
    finally:
        camera.close()
    raise AssertionError("a camera has no end")


def hangs() -> Iterator[tuple[bytes, float]]:
    yield from images(13)
    yield b"", 8.0


def trickles() -> Iterator[tuple[bytes, float]]:
    yield from images(13)
    yield from (((HEAD % 10**6)[n : n + 1] if n < len(HEAD) else b"x", 0.05) for n in range(160))


def sends_damage() -> Iterator[tuple[bytes, float]]:
    yield from images(13)
    yield from ((part(b"no picture"), 1 / FPS) for _ in range(200))


@pytest.mark.parametrize("pieces", [hangs, trickles, sends_damage])
def test_a_camera_that_sends_no_video_is_lost_whatever_else_it_sends(pieces) -> None:
    with camera_of(pieces) as address:
        frames, lost_s, said = read_until_lost(address)
    assert said == f"camera {address} sends no more frames; check it and the network"
    assert len(frames) >= 2
    assert lost_s >= VIDEO_LOST_S


def test_a_camera_that_ends_is_lost_at_once() -> None:
    with camera_of(partial(images, 13)) as address:
        frames, _, said = read_until_lost(address)
    assert said.startswith(f"camera {address} ")
    assert "sends no more frames" not in said, "its end was seen, not waited for"
    assert len(frames) >= 2


def test_frames_of_the_grid_come_in_rgb_as_they_arrive() -> None:
    begun_ns = time.monotonic_ns()
    with camera_of(images) as address:
        camera = make(address)
        camera.open()
        frames = list(itertools.islice(camera.read(), 6))
        camera.close()
    slots = [frame.end_ns // (200 * MS) for frame in frames]
    assert slots == sorted(set(slots))
    assert begun_ns < frames[0].end_ns
    assert frames[-1].end_ns < time.monotonic_ns()
    numbers = [round(int(frame.image[9, 9, 0]) / GREY) for frame in frames]
    assert numbers == sorted(set(numbers))
    assert frames[0].image.shape == (48, 64, 3)


def test_a_slow_consumer_gets_the_newest_frames() -> None:
    dropped: Counter[str] = Counter()
    with camera_of(images) as address:
        camera = make(address, dropped)
        camera.open()
        woke_ns = [0]
        for frame in itertools.islice(camera.read(), 3):
            assert frame.end_ns > woke_ns[-1] - MAX_PACKET_AGE_NS
            time.sleep(1.2)  # what makes it slow
            woke_ns.append(time.monotonic_ns())
        camera.close()
    assert len(woke_ns) == 4
    assert dropped["frames_overload"] >= 2


def packets(path: Path) -> tuple[av.VideoStream, list[av.Packet], av.container.InputContainer]:
    container = av.open(str(path))
    stream = container.streams.video[0]
    return stream, [packet for packet in container.demux(stream) if packet.size], container


def brightness(index: int) -> np.ndarray:
    return np.full((32, 32, 3), 20 + 10 * index, np.uint8)


@pytest.fixture(params=["mjpeg", "mpeg4"])
def recorded(request, tmp_path, make_clip):
    """A stream of 20 pictures, each brighter by 10; of `mpeg4` only the 1st and 13th stand alone."""
    if request.param == "mjpeg":
        body = b"".join(map(jpeg, range(20)))
        (tmp_path / "a.mjpeg").write_bytes(body)
        return packets(tmp_path / "a.mjpeg")
    clip = make_clip(tmp_path / "a.mkv", np.stack([*map(brightness, range(20))]), codecs=("mpeg4", ""))
    return packets(clip)


def test_only_selected_packets_are_decoded_for_intra_only_codecs(recorded, clock) -> None:
    stream, sent, container = recorded
    taken = FrameDecoder(stream, 5.0, clock, Counter())
    times_ms, decoded_ms = [], []
    for index, packet in enumerate(sent):
        clock.time_ns = 100 * MS * (index + 1)
        frame = taken.decode(packet, clock.time_ns)
        times_ms += [frame.end_ns // MS] if frame else []
        decoded_ms.append(taken.seen_ns // MS)
    assert times_ms == [100, *range(200, 2001, 200)]
    all_ms = range(100, 2001, 100)
    stands_alone = stream.codec_context.name == "mjpeg"
    assert decoded_ms == [max(100, at // 200 * 200) if stands_alone else at for at in all_ms]
    container.close()


def test_after_a_backlog_it_goes_on_with_a_keyframe(recorded, clock) -> None:
    stream, sent, container = recorded
    dropped: Counter[str] = Counter()
    taken = FrameDecoder(stream, 5.0, clock, dropped)
    frames = []
    for index, packet in enumerate(sent):
        arrived_ns = 200 * MS * (index + 1)
        clock.time_ns = arrived_ns + (600 * MS if 3 <= index < 6 else 0)
        frames.append(taken.decode(packet, arrived_ns))
    kept = [index for index, frame in enumerate(frames) if frame]
    keys = [index for index, packet in enumerate(sent) if packet.is_keyframe and index >= 6]
    assert kept == [0, 1, 2, *range(keys[0], 20)]
    assert dropped == {"frames_overload": keys[0] - 3}
    container.close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Address of `tmp_path` over HTTP."""
    with serving(partial(Quiet, directory=str(tmp_path))) as address:
        yield address


def test_an_address_without_video_is_refused(served, tmp_path, make_clip, tone) -> None:
    make_clip(tmp_path / "a.wav", samples=tone(0.1))
    with pytest.raises(SourceError, match="sends no video"):
        make(f"{served}/a.wav").open()


def test_an_address_of_music_with_a_cover_is_refused(served, tmp_path) -> None:
    cover = GreyTrack(40, Disposition.attached_pic, "mjpeg", frames=1)
    write(tmp_path / "a.flac", [ToneTrack(0.25, codec="flac"), cover])
    with pytest.raises(SourceError, match=r"sends no video .*0 \(mjpeg.*attached pic\); let it send"):
        make(f"{served}/a.flac").open()


@pytest.mark.parametrize("page", ["nowhere.mkv", "page.html"])
def test_an_address_of_something_else_is_named(served, tmp_path, page: str) -> None:
    (tmp_path / "page.html").write_text("<h1>no camera</h1>")
    with pytest.raises(SourceError, match=f"camera {served}/{page}"):
        make(f"{served}/{page}").open()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_an_address_where_nothing_answers_is_named(free_port, scheme: str) -> None:
    address = f"{scheme}://127.0.0.1:{free_port}/x"
    with pytest.raises(SourceError, match=f"cannot open camera {address}: .*; check the address"):
        make(address).open()


@pytest.mark.parametrize("credentials", ["user:secret@", "secret@", "user:sec@ret@"])
def test_a_password_is_never_shown(free_port: int, credentials: str) -> None:
    camera = make(f"http://{credentials}127.0.0.1:{free_port}/live?at=1")
    assert camera.name == f"camera http://***@127.0.0.1:{free_port}/live?at=1"
    with pytest.raises(SourceError) as refused:
        camera.open()
    assert "sec" not in str(refused.value)
    assert f"***@127.0.0.1:{free_port}" in str(refused.value)


def test_the_display_matrix_of_a_camera_is_followed(tmp_path: Path, clock) -> None:
    still = jpeg_of(tmp_path / "a.jpg", stored(pattern(), 6), 6)
    stream, sent, container = packets(still)
    frame = FrameDecoder(stream, 5.0, clock, Counter()).decode(sent[0], 0)
    np.testing.assert_allclose(frame.image, pattern(), atol=4)
    container.close()
