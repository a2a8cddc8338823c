"""What is drawn into a frame."""

import numpy as np
import pytest
from msgspec.structs import replace

from edge.annotation.overlay import WHITE, colour_of, draw, draw_people
from edge.geometry import Box
from tests.edge.annotation.made_rows import ROW, UNSEEN

GREY = 90


def canvas(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def test_the_box_is_that_of_the_row_that_is_seen_in_the_colour_of_the_steady_label() -> None:
    seen = replace(ROW, box=Box(200, 60, 80, 100))
    image = draw(canvas(), replace(ROW, steady_label="calm"), seen)
    for point in ((60, 240), (160, 240), (110, 200), (110, 280)):
        assert tuple(image[point]) == (0, 114, 178)
    assert tuple(image[110, 240]) == (GREY, GREY, GREY)


def test_several_people_have_boxes_and_the_speaker_the_bars() -> None:
    near = replace(ROW, audio="no_speech", face_id=1, box=Box(20, 20, 120, 100), steady_label="calm")
    speaker = replace(ROW, face_id=2, box=Box(200, 60, 80, 100), probs={"calm": 1.0, "glad": 0.0})
    hidden = replace(ROW, face_id=3, box=None, probs={"calm": 0.0, "glad": 1.0})
    image = draw_people(canvas(), [(near, near), (speaker, speaker), (hidden, hidden)])
    assert tuple(image[70, 20]) == colour_of("calm", list(ROW.probs))
    assert tuple(image[110, 200]) == colour_of("glad", list(ROW.probs))
    corner = image[200:, :130]
    bars = [(corner == colour_of(label, list(ROW.probs))).all(axis=2).sum(axis=1).max() for label in ROW.probs]
    assert bars == [pytest.approx(50, abs=2), pytest.approx(0, abs=2)]
    assert (draw_people(canvas(), []) == GREY).all()


def test_without_a_face_there_are_bars_alone() -> None:
    image = draw(canvas(), UNSEEN, UNSEEN)
    assert (image[:120] == GREY).all()
    assert (image[:, 200:] == GREY).all()
    assert not (image[200:, :150] == GREY).all()


def test_a_bar_is_as_long_as_its_probability() -> None:
    image = draw(canvas(480, 640), UNSEEN, UNSEEN)
    lengths = [
        int((image == colour_of(label, list(UNSEEN.probs))).all(axis=2).sum(axis=1).max()) for label in UNSEEN.probs
    ]
    assert lengths == [pytest.approx(100 * p, abs=2) for p in UNSEEN.probs.values()]


@pytest.mark.parametrize("size", [(2, 2), (16, 2000), (2160, 3840)])
def test_frames_of_any_size_are_drawn_into(size: tuple[int, int]) -> None:
    assert draw(canvas(*size), ROW, ROW).shape == (*size, 3)


def test_a_box_may_reach_over_the_edge() -> None:
    draw(canvas(), ROW, replace(ROW, box=Box(-20, -20, 400, 400)))


def test_uncertain_is_white() -> None:
    assert colour_of("uncertain", ["calm"]) == WHITE
