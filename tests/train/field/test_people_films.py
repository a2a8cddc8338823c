"""Made films of several people: who hides whom, what is lost, and that each condition can be drawn."""

from itertools import islice

import numpy as np
import pytest

from train.field.people_casts import CONDITIONS, DURATION_S
from train.field.people_films import HEIGHT, IMAGES_HZ, WIDTH, Actor, Film, Motion, Part, Pose, shown
from train.field.people_motions import hidden, moved, sitting, walking

ROOM = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)


def actor(grey: int) -> Actor:
    return Actor([np.full((96, 96, 3), grey, np.uint8)], 2 / 3, 30)


def still(pose: Pose) -> Motion:
    return lambda _: pose


def film(*poses: Pose, seconds: float = 1.0) -> Film:
    """People of different greys who stand still, without a camera's noise."""
    return Film([Part(actor(150 + 40 * n), still(pose)) for n, pose in enumerate(poses)], seconds, ROOM, noise=0.0)


def first(made: Film) -> tuple[np.ndarray, dict[int, float]]:
    image, there = next(shown(made, np.random.default_rng(0)))
    return image, {face.part: face.share for face in there}


def test_who_is_larger_hides_who_is_behind() -> None:
    image, shares = first(film(Pose(200, 200, 120), Pose(250, 200, 80)))
    assert image[200, 215].tolist() == [150] * 3
    assert shares[0] == pytest.approx(1, abs=0.02)
    assert 0.1 < shares[1] < 0.5


def test_a_face_outside_the_image_or_behind_something_is_not_visible() -> None:
    assert first(film(Pose(0, 200, 100)))[1][0] == pytest.approx(0.5, abs=0.05)
    assert first(film(Pose(-200, 200, 100)))[1][0] == 0
    assert first(film(Pose(200, 200, 100, is_hidden=True)))[1][0] == 0


def test_a_rolled_face_is_drawn_clockwise() -> None:
    picture = np.full((96, 96, 3), 200, np.uint8)
    picture[:40] = 20  # dark hair
    made = Film([Part(Actor([picture], 2 / 3, 30), still(Pose(320, 240, 150, roll_deg=60.0)))], 1.0, ROOM, noise=0.0)
    image = first(made)[0]
    assert image[240, 375, 0] < 60  # a clockwise roll takes the top of a head to the image's right
    assert image[240, 275, 0] > 160


def test_lost_images_are_left_out_and_light_and_noise_are_the_cameras() -> None:
    made = film(Pose(200, 200, 100))._replace(lost=frozenset((1, 2)), light=0.2, noise=4.0)
    images = [image.astype(int) for image, _ in shown(made, np.random.default_rng(0))]
    assert len(images) == IMAGES_HZ - 2
    assert images[0][:, :50].mean() == pytest.approx(20, abs=1)
    assert images[0][:50, :50].std() == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_has_its_people_in_the_image(name: str) -> None:
    people, compose = CONDITIONS[name]
    made = compose(np.random.default_rng(3), [actor(150 + number) for number in range(people)])
    assert len({id(part.actor) for part in made.parts}) == people
    poses = [pose for at in np.arange(0, DURATION_S, 0.5) for part in made.parts if (pose := part.motion(float(at)))]
    inside = [0 <= pose.x <= WIDTH and 0 <= pose.y <= HEIGHT for pose in poses]
    assert np.mean(inside) > 0.8
    assert all(40 <= pose.height <= 150 for pose in poses)
    assert len(list(islice(shown(made, np.random.default_rng(0)), 2))) == 2


def test_motions_are_where_they_say() -> None:
    rng = np.random.default_rng(4)
    walk = walking(rng, 1.0, 3.0, -50.0, 690.0, 200.0, 100.0)
    assert walk(0.9) is None
    assert walk(3.1) is None
    assert (walk(1.0) or Pose(0, 0, 0)).x == -50
    assert (walk(2.0) or Pose(0, 0, 0)).x == pytest.approx(320)
    seat = sitting(rng, 300.0, 200.0, 100.0)
    places = [pose.x for at in range(60) if (pose := seat(float(at)))]
    assert max(abs(place - 300) for place in places) <= 12.01
    covered = hidden(seat, [(1.0, 2.0)])
    assert [bool((covered(at) or Pose(0, 0, 0)).is_hidden) for at in (0.5, 1.5, 2.0)] == [False, True, False]
    later = moved(seat, 1.0, 2.0, 40.0)(4.0)
    assert later
    assert later.x == pytest.approx((seat(4.0) or later).x + 40)
