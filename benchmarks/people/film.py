"""Film of four people, made of one of a single person."""

from pathlib import Path

import av
import cv2
import numpy as np

from edge.errors import UsageError
from edge.preprocess.images import Image

ACROSS = 2
"""Number of pictures across and down."""
APART_S = 1.7
"""Seconds by which the pictures are apart, so that no two people do the same at once."""
OPTIONS = {"preset": "veryfast", "crf": "21"}


def write_four(film: Path, path: Path, seconds: float) -> None:
    """Write a film of the same size and sound with the person four times, every second time mirrored.

    UsageError where the film is too short.
    """
    with av.open(str(film)) as source:
        video = source.streams.video[0]
        rate = video.average_rate or 25
        shift = round(APART_S * float(rate))
        count = round(seconds * float(rate))
        small = read_small(source, video, count + (ACROSS**2 - 1) * shift)
        height, width = video.height // 2 * 2, video.width // 2 * 2
    if len(small) < count + (ACROSS**2 - 1) * shift:
        raise UsageError(f"{film} has {len(small)} frames, and {seconds + ACROSS**2 * APART_S:.0f} s are needed")
    with av.open(str(film)) as source, av.open(str(path), "w") as made:
        pictures = made.add_stream("libx264", rate=rate)
        pictures.width, pictures.height, pictures.pix_fmt, pictures.options = width, height, "yuv420p", OPTIONS
        sound = made.add_stream_from_template(source.streams.audio[0])
        for index in range(count):
            tiles = [small[index + number * shift] for number in range(ACROSS**2)]
            made.mux(pictures.encode(av.VideoFrame.from_ndarray(tiled(tiles, height, width), "rgb24")))
        made.mux(pictures.encode(None))
        for packet in source.demux(audio=0):
            if packet.pts is not None and packet.pts * packet.time_base < seconds:
                packet.stream = sound
                made.mux(packet)


def read_small(source: av.container.InputContainer, video: av.VideoStream, count: int) -> list[Image]:
    """Return the first frames, in RGB, shrunk to a tile."""
    small: list[Image] = []
    for frame in source.decode(video):
        image = frame.to_ndarray(format="rgb24")
        size = image.shape[1] // ACROSS, image.shape[0] // ACROSS
        small.append(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8))
        if len(small) == count:
            break
    return small


def tiled(tiles: list[Image], height: int, width: int) -> Image:
    """Return one image of tiles, by rows, every second one mirrored."""
    sides = [tile[:, ::-1] if number % 2 else tile for number, tile in enumerate(tiles)]
    rows = [np.hstack(sides[first : first + ACROSS]) for first in range(0, len(sides), ACROSS)]
    return np.ascontiguousarray(np.vstack(rows)[:height, :width])
