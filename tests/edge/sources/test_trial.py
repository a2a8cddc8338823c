"""Trial of a device: what it gives in a moment, and that it is released."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from edge.errors import SourceError
from edge.preprocess.media import Block, Frame, Media
from edge.sources.trial import frame_size, level_dbfs

MS = 1_000_000


class Device:
    """Device that gives some media and then has nothing more."""

    name = "device"

    def __init__(self, *media: Media) -> None:
        self._media, self.closed = media, 0

    def open(self) -> None:
        if not self._media:
            raise SourceError("cannot open device")

    def read(self) -> Iterator[Media]:
        yield from self._media
        raise SourceError("device gives no more")

    def close(self) -> None:
        self.closed += 1


def sound(level: float, seconds: float = 2.0) -> list[Block]:
    samples = np.full(160, level, np.float32)
    return [Block(samples, number * 10 * MS) for number in range(round(seconds * 100))]


def test_a_cameras_size_is_that_of_its_first_frame() -> None:
    device = Device(Frame(np.zeros((480, 640, 3), np.uint8), 1), Frame(np.zeros((4, 4, 3), np.uint8), 2))
    assert frame_size(device) == (640, 480)
    assert device.closed == 1


def test_a_microphones_level_is_that_of_a_second_without_its_first_block() -> None:
    click = Block(np.ones(160, np.float32), 0)
    device = Device(click, *sound(0.01)[1:])
    assert level_dbfs(device) == pytest.approx(-40, abs=1e-3)  # float32 0.01
    assert device.closed == 1
    assert level_dbfs(Device(*sound(0.0))) == -math.inf


@pytest.mark.parametrize("media", [(), (Frame(np.zeros((4, 4, 3), np.uint8), 1),)])
def test_a_device_that_gives_nothing_is_an_error_and_released(media: tuple[Media, ...]) -> None:
    device = Device(*media)
    with pytest.raises(SourceError):
        level_dbfs(device)
    assert device.closed == len(media)
