"""Made scenes: what is new in them is noticed in any light; noise, slow light and a known face's changes are not."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.scene_change import SceneChange
from edge.sources.demo import MOODS, face

DRAWN = face(MOODS[0])
KNOWN = Box(40, 40, 120, 120)
RANDOM = np.random.default_rng(4)
ROOM = cv2.resize(RANDOM.uniform(60, 180, (6, 8, 3)), (640, 480), interpolation=cv2.INTER_CUBIC)
"""A room in soft colours."""


def seen(room: np.ndarray = ROOM, light: float = 1.0, noise: float = 3.0) -> np.ndarray:
    """A room as a camera sees it, each time with other noise."""
    return np.asarray((room * light + RANDOM.normal(0, noise, room.shape)).clip(0, 255), np.uint8)


def with_face(x: int, y: int, width: int) -> np.ndarray:
    """The room with a drawn face whose box, of that width, begins there."""
    room, scale = ROOM.copy(), width / 160
    drawn = cv2.resize(DRAWN[30:220, 60:260], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = max(0, y - round(20 * scale)), max(0, x - round(20 * scale))
    here = room[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    here[:] = drawn[: here.shape[0], : here.shape[1]]
    return room


def holds(part: Box | None, box: Box) -> bool:
    return part is not None and (
        part.x <= box.x
        and part.y <= box.y
        and part.x + part.width >= box.x + box.width
        and part.y + part.height >= box.y + box.height
    )


@pytest.mark.parametrize("noise", [0, 3, 12])
@pytest.mark.parametrize("light", [1.0, 0.1])
def test_nothing_is_new_in_a_still_room_whatever_the_camera_s_noise(noise: float, light: float) -> None:
    scene = SceneChange()
    scene.take(seen(light=light, noise=noise))
    assert [scene.find(seen(light=light, noise=noise), KNOWN) for _ in range(20)] == [None] * 20


@pytest.mark.parametrize("light", np.linspace(0.8, 1.2, 5))
def test_nothing_is_new_where_the_light_changes_a_little(light: float) -> None:
    scene = SceneChange()
    scene.take(seen())
    assert scene.find(seen(light=light), KNOWN) is None


def test_all_is_new_where_the_light_is_switched_on() -> None:
    scene = SceneChange()
    scene.take(seen(light=0.1))
    assert holds(scene.find(seen(), KNOWN), Box(180, 0, 440, 460))


@pytest.mark.parametrize("light", [1.0, 0.3, 0.08])
@pytest.mark.parametrize(("x", "y", "width"), [(400, 300, 60), (570, 10, 60), (250, 200, 140), (300, 60, 300)])
def test_a_face_that_comes_in_lies_in_the_part_that_is_new(x: int, y: int, width: int, light: float) -> None:
    scene, box = SceneChange(), Box(x, y, width, width)
    scene.take(seen(light=light))
    part = scene.find(seen(with_face(*box[:3]), light), KNOWN)
    assert holds(part, box)
    assert part
    assert part.area() < 640 * 480 if width > 200 else part.area() < 640 * 480 / 2


def test_a_known_face_changes_and_moves_a_little_and_nothing_is_new() -> None:
    scene = SceneChange()
    scene.take(seen(with_face(*KNOWN[:3])))
    for step in range(10):
        moved = KNOWN._replace(x=KNOWN.x + step)
        assert scene.find(seen(with_face(*moved[:3])), moved) is None


def test_what_is_new_is_so_for_some_searches_and_then_known() -> None:
    scene, changed = SceneChange(), with_face(400, 200, 150)
    scene.take(seen())
    parts = [scene.find(seen(changed), KNOWN) for _ in range(12)]
    assert all(parts[:2])
    assert parts[6:] == [None] * 6
    assert scene.find(seen(), KNOWN)  # gone again


def test_what_changes_slowly_adds_up_until_it_is_searched() -> None:
    scene, after = SceneChange(), with_face(400, 200, 150)
    scene.take(seen())
    steps = [scene.find(seen(ROOM + share * (after - ROOM)), KNOWN) for share in np.linspace(0, 1, 40)]
    assert any(holds(part, Box(400, 200, 150, 150)) for part in steps)


@pytest.mark.parametrize("shape", [(240, 320), (1, 1), (3, 500), (1000, 7)])
def test_all_is_new_where_a_camera_changes_its_size(shape: tuple[int, int]) -> None:
    scene, image = SceneChange(), np.zeros((*shape, 3), np.uint8)
    assert scene.find(seen(), KNOWN) == Box(0, 0, 640, 480)
    assert scene.find(image, KNOWN) == Box(0, 0, shape[1], shape[0])
