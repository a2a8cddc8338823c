"""Crops against plain slicing and averaging; faces on drawn pictures."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_cascade import UPRIGHT, CascadeDetector
from edge.preprocess.face_search import LOOK_EVERY
from edge.preprocess.framing import (
    FaceFraming,
    FramingResult,
    WholeFraming,
    make_framing,
    threads_for,
)
from edge.preprocess.images import resize
from edge.preprocess.windowing import FrameGrid
from edge.sources.demo import MOODS, face
from edge.sources.media import read_frames

DRAWN = face(MOODS[0])


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "top", "left"), [(16, 16, 0, 0), (16, 32, 0, 8), (32, 16, 8, 0), (16, 17, 0, 0), (17, 16, 0, 0)]
)
def test_the_whole_picture_is_its_centre_averaged(height: int, width: int, top: int, left: int) -> None:
    image = noise(height, width)
    centre = image[top : top + 16, left : left + 16].astype(float)
    expected = centre.reshape(8, 2, 8, 2, 3).mean(axis=(1, 3))
    framed = WholeFraming(8, 8)(image)
    assert np.abs(framed.crop - expected).max() <= 0.5
    assert framed[1:3] == (None, None)


def test_a_whole_picture_keeps_the_encoders_proportions() -> None:
    image = noise(32, 32)
    expected = image[8:24].astype(float).reshape(8, 2, 16, 2, 3).mean(axis=(1, 3))
    assert np.abs(WholeFraming(8, 16)(image).crop - expected).max() <= 0.5


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    image = noise(8, 8)
    np.testing.assert_array_equal(WholeFraming(8, 8)(image).crop, image)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 500), (1000, 7)])
@pytest.mark.parametrize("name", ["whole", "face"])
def test_pictures_of_any_size_are_framed(name, shape: tuple[int, int]) -> None:
    framed = make_framing(name, 8, 8)(np.zeros((*shape, 3), np.uint8))
    assert framed == FramingResult(None, 0, None) if name == "face" else framed.crop.shape == (8, 8, 3)


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_drawn_face_is_found_where_it_is(mood, scale: int) -> None:
    image = face(mood).repeat(scale, axis=0).repeat(scale, axis=1)
    framed = FaceFraming(64, 64, CascadeDetector())(image)
    assert framed.faces == 1
    x, y, width, height = framed.box
    assert abs(x + width / 2 - 160 * scale) < 20 * scale
    assert abs(y + height / 2 - 130 * scale) < 30 * scale
    assert 80 * scale < width < 200 * scale
    np.testing.assert_array_equal(framed.crop, resize(image[y : y + height, x : x + width], 64, 64))


def test_a_face_in_a_dim_room_is_found_where_it_is_in_a_bright_one() -> None:
    dim = (DRAWN * 0.08 + np.random.default_rng(1).normal(0, 1, DRAWN.shape)).clip(0, 255).astype(np.uint8)
    assert (
        overlap(FaceFraming(64, 64, CascadeDetector())(dim).box, FaceFraming(64, 64, CascadeDetector())(DRAWN).box)
        > 0.9
    )


def test_of_two_faces_the_larger_is_cut_out() -> None:
    smaller = cv2.resize(DRAWN, (160, 120), interpolation=cv2.INTER_AREA)
    canvas = np.full((240, 480, 3), DRAWN[0, 0], np.uint8)
    canvas[:, 160:] = DRAWN
    canvas[60:180, :160] = smaller
    framed = FaceFraming(64, 64, CascadeDetector())(canvas)
    assert framed.faces == 2
    assert framed.box.x > 160


def test_among_nine_of_a_face_the_same_is_taken_with_any_number_of_threads(restored_threads: None) -> None:
    crowd = np.tile(DRAWN, (3, 3, 1))
    taken = set()
    for threads in (1, 2, 4, 8) * 5:
        cv2.setNumThreads(threads)
        framing = FaceFraming(64, 64, CascadeDetector())
        searched, followed = framing(crowd), framing(crowd)
        taken.add((searched.box, searched.faces, followed.box))
    ((box, faces, follows),) = taken
    assert faces == 9
    everywhere = [found.box for found in CascadeDetector().search(crowd, UPRIGHT, Box(0, 0, 960, 720), 1 / 3)]
    places = [Box(82 + 320 * x, 45 + 240 * y, 160, 160) for x in range(3) for y in range(3)]
    assert [sum(overlap(found, place) > 0.9 for found in everywhere) for place in places] == [1] * 9
    assert box == min(everywhere, key=lambda found: (-found.width, found.x, found.y))
    assert overlap(box, follows) > 0.75


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


def test_where_several_streams_are_framed_a_picture_has_one_of_opencvs_threads(restored_threads: None) -> None:
    cv2.setNumThreads(3)
    with threads_for(1):
        assert cv2.getNumThreads() == 3
    with threads_for(2):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == 3


def moved(x: int, y: int) -> np.ndarray:
    """The drawn face elsewhere in a picture of twice its size."""
    canvas = np.full((480, 640, 3), DRAWN[0, 0], np.uint8)
    canvas[y : y + 240, x : x + 320] = DRAWN
    return canvas


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = max(0, min(a.x + a.width, b.x + b.width) - max(a.x, b.x))
    height = max(0, min(a.y + a.height, b.y + b.height) - max(a.y, b.y))
    return width * height / (a.area() + b.area() - width * height)


def test_a_known_face_is_followed_where_it_goes() -> None:
    framing = FaceFraming(64, 64, CascadeDetector())
    for step in range(3 * LOOK_EVERY):
        image = moved(10 * step, 6 * step)
        framed = framing(image)
        assert framed.faces == 1
        assert overlap(framed.box, FaceFraming(64, 64, CascadeDetector())(image).box) > 0.75, step
        inside(framed.box, image)


def test_a_face_that_jumps_or_goes_is_searched_for_at_once() -> None:
    framing = FaceFraming(64, 64, CascadeDetector())
    first = framing(moved(0, 0)).box
    jumped = framing(moved(320, 240))
    assert overlap(first, jumped.box) == 0
    assert jumped[1:3] == (1, FaceFraming(64, 64, CascadeDetector())(moved(320, 240)).box)
    assert framing(np.zeros((480, 640, 3), np.uint8)) == FramingResult(None, 0, None)
    assert framing(moved(0, 0)).box == first


def test_a_larger_face_is_noticed_within_so_many_pictures() -> None:
    framing = FaceFraming(64, 64, CascadeDetector())
    small = np.full((480, 640, 3), DRAWN[0, 0], np.uint8)
    small[300:420, :160] = cv2.resize(DRAWN, (160, 120), interpolation=cv2.INTER_AREA)
    assert framing(small).box.x < 160
    both = small.copy()
    both[:240, 320:] = DRAWN
    found = [framing(both) for _ in range(LOOK_EVERY)]
    assert found[0].box.x < 160
    assert (found[-1].box.x > 320, found[-1].faces) == (True, 2)


@pytest.mark.parametrize("shape", [(60, 80), (1, 1), (480, 64)])
def test_a_camera_may_change_its_size(shape: tuple[int, int]) -> None:
    framing = FaceFraming(64, 64, CascadeDetector())
    assert framing(moved(300, 200)).faces == 1
    assert framing(np.zeros((*shape, 3), np.uint8)) == FramingResult(None, 0, None)


@pytest.mark.parametrize("image", [np.zeros((240, 320, 3), np.uint8), np.full((240, 320, 3), 255, np.uint8)])
def test_a_covered_lens_shows_no_face(image: np.ndarray) -> None:
    assert FaceFraming(64, 64, CascadeDetector())(image) == FramingResult(None, 0, None)


def test_faces_of_real_recordings_lie_in_the_picture(recordings: list[Path]) -> None:
    framing = FaceFraming(64, 64, CascadeDetector())
    for path in recordings:
        for frame in read_frames(path, FrameGrid(5.0)):
            framed = framing(frame.image)
            assert framed.faces >= 1, (path, frame.end_ns)
            inside(framed.box, frame.image)


def inside(box: Box, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    assert box.x >= 0
    assert box.y >= 0
    assert box.x + box.width <= width
    assert box.y + box.height <= height
