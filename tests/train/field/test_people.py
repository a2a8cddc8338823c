"""What is counted of people who are followed in made films."""

import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_detector import Face as FoundFace
from edge.preprocess.people_tracker import TrackedFace
from edge.sources.demo import MOODS, face
from train.field.people import Seen, Tally, matched, measure, tally, watch
from train.field.people_films import Actor, Film, Part, Pose, Visible, plain_room

LEFT, RIGHT = Box(100, 100, 80, 80), Box(400, 100, 80, 80)


def there(part: int, box: Box, share: float = 1.0) -> Visible:
    return Visible(part, box, share, is_frontal=True)


def tracked(person: int, box: Box) -> TrackedFace:
    return TrackedFace(person, FoundFace(box))


def test_another_number_is_a_switch_and_counts_once() -> None:
    before = Seen([there(0, LEFT), there(1, RIGHT)], [tracked(1, LEFT), tracked(2, RIGHT)])
    after = Seen(before.there, [tracked(2, LEFT), tracked(1, RIGHT)])
    assert tally([before] * 4 + [after] * 4) == Tally(8, 2, 16, 16, 0)


def test_who_was_hidden_for_more_than_two_seconds_may_have_another_number() -> None:
    hidden = Seen([there(0, LEFT, 0.3)], [])
    for images, switched in ((10, 1), (11, 0)):
        film = [Seen([there(0, LEFT)], [tracked(1, LEFT)]), *[hidden] * images]
        assert tally([*film, Seen([there(0, LEFT)], [tracked(2, LEFT)])]).switched == switched


def test_who_is_not_to_be_found_is_not_missed() -> None:
    turned = Visible(1, RIGHT, 1.0, is_frontal=False)
    counts = tally([Seen([there(0, LEFT), turned], [])] * 3)
    assert (counts.to_find, counts.found) == (3, 0)


def test_a_number_of_nobody_is_a_false_person() -> None:
    counts = tally([Seen([there(0, LEFT)], [tracked(1, LEFT), tracked(2, RIGHT)])] * 5)
    assert (counts.found, counts.false, counts.switched) == (5, 1, 0)


def test_of_two_numbers_on_one_face_the_nearer_one_is_its() -> None:
    near, far = tracked(1, LEFT._replace(x=130)), tracked(2, LEFT._replace(x=105))
    assert matched([there(0, LEFT)], [near, far]) == {0: 2}
    assert matched([there(0, LEFT)], [tracked(1, RIGHT)]) == {}


def test_figures_are_those_of_all_films_together() -> None:
    measured = measure([Tally(300, 2, 600, 540, 0), Tally(300, 0, 200, 200, 1)])
    means = {name: figure.mean for name, figure in measured.columns.items()}
    expected = {"switched a minute": 1.0, "found %": 92.5, "false people a minute": 0.5}
    assert means == pytest.approx(expected)
    found = measured.columns["found %"]
    assert (found.low, found.high) == pytest.approx((90, 100))


def test_drawn_people_who_stand_still_are_found_and_keep_their_numbers() -> None:
    rng = np.random.default_rng(5)
    drawn = [np.ascontiguousarray(face(mood)[13:237, 48:272]) for mood in MOODS[:2]]
    parts = [
        Part(Actor([picture], 0.65, 90), lambda _, x=x: Pose(x, 200.0, 110.0))
        for picture, x in zip(drawn, (180.0, 460.0), strict=True)
    ]
    counts = tally(watch(Film(parts, 3.0, plain_room(rng)), rng, "cascade"))
    assert (counts.images, counts.to_find, counts.switched, counts.false) == (15, 30, 0, 0)
    assert counts.found >= 28
