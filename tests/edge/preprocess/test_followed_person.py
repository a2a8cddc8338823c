"""Where the face of a followed person is expected, and what is taken back."""

import numpy as np

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.preprocess.face_looks import look_of
from edge.preprocess.followed_person import MOVES_ON, FollowedPerson, step

IMAGE = np.random.default_rng(1).integers(0, 255, (12, 16, 3)).astype(np.uint8).repeat(20, 0).repeat(20, 1)


def moved(x: int) -> Face:
    return Face(Box(x, 50, 80, 80))


def test_a_face_that_moves_is_expected_to_move_on_for_a_while() -> None:
    person = FollowedPerson(IMAGE, moved(20))
    person.begin()
    assert person.expected == person.face
    person.see(moved(40))
    for lost in (1, 2, 3):
        person.begin()
        assert person.expected == moved(40 + 20 * min(lost, MOVES_ON))
        assert (person.lost, person.face) == (lost, moved(40))


def test_a_shift_over_several_images_is_shared_between_them_and_a_small_one_is_none() -> None:
    assert step(Box(0, 0, 80, 80), Box(60, 0, 80, 80), 3) == (20, 0)
    assert step(Box(0, 0, 80, 80), Box(3, 0, 80, 80), 1) == (0, 0)


def test_a_face_that_is_somebody_else_s_is_taken_back() -> None:
    person = FollowedPerson(IMAGE, moved(20))
    person.begin()
    person.begin()
    person.see(moved(60))
    person.miss()
    assert (person.lost, person.face, person.expected) == (2, moved(20), moved(20))


def test_a_face_is_found_by_its_picture_where_it_moves_on() -> None:
    person = FollowedPerson(IMAGE, moved(20))
    person.begin()
    assert person.find(IMAGE) is not None
    further = np.roll(IMAGE, 60, axis=1)
    person.see(moved(50))
    person.begin()
    found = person.find(further)
    assert found is not None
    assert abs(found.box.x - 80) <= 2


def test_somebody_goes_on_where_they_were_found_again() -> None:
    person, newcomer, third = (FollowedPerson(IMAGE, moved(x)) for x in (20, 60, 200))
    person.number = 1
    person.begin()
    newcomer.part(third)
    person.resume(newcomer)
    assert (person.number, person.lost, person.face, person.images) == (1, 0, moved(60), 2)
    assert person.apart == {third}
    assert third.apart == {person, newcomer}
    assert newcomer.looks.alike_to(person.looks) > 0.99


def test_how_a_half_hidden_face_looks_is_not_kept() -> None:
    look = look_of(np.roll(IMAGE, 100, axis=0), moved(20))
    hidden, clear = (FollowedPerson(IMAGE, moved(20)) for _ in range(2))
    for person, is_clear in ((hidden, False), (clear, True)):
        person.begin()
        person.detect(IMAGE, moved(20), look, is_clear=is_clear)
    assert hidden.looks.alike(look) < 0.9 < clear.looks.alike(look)
