"""Pictures of a run whose user has asked for them."""

from typing import Any

import cv2
import numpy as np
import pytest

from edge.clock import SECOND_NS
from edge.geometry import Box
from edge.live.pictures import LONGEST_SIDE_PX, PERIOD_NS, PicturePublisher, jpeg
from edge.preprocess.framing import FramingResult
from edge.wire.messages import CameraPicture, Message


def published(times_ns: list[int]) -> list[Any]:
    messages: list[Message] = []
    publisher = PicturePublisher("ab", "main", messages.append)
    image = np.zeros((4, 6, 3), np.uint8)
    for time_ns in times_ns:
        publisher.add(image, FramingResult(None, 1, Box(1, 2, 3, 2)), time_ns)
    return messages


def test_a_picture_says_when_and_what_it_shows():
    (picture,) = published([7 * SECOND_NS])
    assert isinstance(picture, CameraPicture)
    assert (picture.session, picture.stream, picture.seq, picture.mono_capture) == ("ab", "main", 0, 7 * SECOND_NS)
    assert (picture.width, picture.height, picture.faces, picture.box) == (6, 4, 1, Box(1, 2, 3, 2))


def test_at_most_two_a_second_are_published():
    fifth = SECOND_NS // 5
    pictures = published([number * fifth for number in range(50)])
    times = [picture.mono_capture for picture in pictures]
    assert min(np.diff(times)) >= PERIOD_NS
    assert len(times) == 17  # every third of five a second
    assert [picture.seq for picture in pictures] == list(range(17))


def test_times_that_jump_back_publish_on():
    assert [picture.mono_capture for picture in published([9 * SECOND_NS, 2 * SECOND_NS])] == [
        9 * SECOND_NS,
        2 * SECOND_NS,
    ]


@pytest.mark.parametrize(
    ("shape", "small"),
    [((480, 640), (240, 320)), ((640, 480), (320, 240)), ((100, 90), (100, 90)), ((2000, 1), (320, 1))],
)
def test_a_picture_is_small_and_keeps_its_proportions(shape: tuple[int, int], small: tuple[int, int]):
    decoded = cv2.imdecode(np.frombuffer(jpeg(np.zeros((*shape, 3), np.uint8)), np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (*small, 3)
    assert max(decoded.shape) <= LONGEST_SIDE_PX


def test_colours_are_those_of_the_frame():
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 0] = 200  # red
    decoded = cv2.imdecode(np.frombuffer(jpeg(image), np.uint8), cv2.IMREAD_COLOR)
    assert decoded[32, 32] == pytest.approx([0, 0, 200], abs=8)  # blue, green, red; JPEG loses a little
