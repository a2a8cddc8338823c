"""One thread decodes what it can in real time; larger pictures are left to several."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from edge.sources.decoder_threads import decode_in_one_thread


def write_frame(path: Path, size: tuple[int, int], rate_hz: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate_hz)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), "rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, rate_hz)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("size", "rate_hz", "is_light"),
    [((640, 480), 25, True), ((640, 480), 240, False), ((1920, 1080), 30, True), ((1920, 1080), 60, False)],
)
def test_threads_by_pixels_per_second(tmp_path, size: tuple[int, int], rate_hz: int, is_light: bool) -> None:
    with av.open(str(write_frame(tmp_path / "a.mp4", size, rate_hz))) as container:
        stream = container.streams.video[0]
        assert decode_in_one_thread(stream) is is_light
        assert (stream.codec_context.thread_count == 1) is is_light
        assert len(list(container.decode(stream))) == 1
