"""Casts of made films: who is where, under each condition of the section `people`."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from .people_films import HEIGHT, IMAGES_HZ, WIDTH, Actor, Film, Motion, Part, Pose, plain_room
from .people_motions import hidden, moved, sitting, walking

DURATION_S = 60.0

Compose = Callable[[np.random.Generator, Sequence[Actor]], Film]
"""Maker of a film of so many people as `CONDITIONS` says."""


def film(rng: np.random.Generator, actors: Sequence[Actor], motions: Sequence[Motion]) -> Film:
    """Return a film in which each actor moves in their way."""
    parts = [Part(actor, motion) for actor, motion in zip(actors, motions, strict=True)]
    return Film(parts, DURATION_S, plain_room(rng))


def seats(rng: np.random.Generator, count: int, heights: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Return places beside each other and heights of faces in an image."""
    places = (np.arange(count) + 0.5) * WIDTH / count + rng.uniform(-0.08, 0.08, count) * WIDTH / count
    return [
        (float(x), float(HEIGHT * rng.uniform(0.38, 0.55)), float(height))
        for x, height in zip(places, rng.uniform(*heights, count), strict=True)
    ]


def sit(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who sit side by side, of different sizes."""
    return film(rng, actors, [sitting(rng, *seat) for seat in seats(rng, len(actors), (60, 120))])


def turn(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who sit, and roll and turn far."""
    places = seats(rng, len(actors), (80, 130))
    return film(rng, actors, [sitting(rng, *seat, roll_deg=35.0, yaw_deg=40.0) for seat in places])


def cross(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who walk to and fro at different distances from the camera, one passing before the other."""
    motions = []
    for height in (np.linspace(80, 130, len(actors)) + rng.uniform(-6, 6, len(actors))).tolist():
        motions.append(to_and_fro(rng, height, rng.uniform(4, 8), HEIGHT * 0.55 - 0.6 * height * rng.uniform(0, 0.5)))
    return film(rng, actors, motions)


def to_and_fro(rng: np.random.Generator, height: float, lap_s: float, y: float) -> Motion:
    """Return the motion of somebody who walks to and fro between the sides, and stays there for a second."""
    sides = (0.9 * height, WIDTH - 0.9 * height)[:: rng.choice((-1, 1))]
    first = rng.uniform(0, lap_s)
    still = sitting(rng, 0.0, y, height)

    def motion(time_s: float) -> Pose | None:
        lap, share = divmod(time_s + first, lap_s)
        share = min(1.0, share / (lap_s - 1.0))
        begin, end = sides if lap % 2 == 0 else sides[::-1]
        pose = still(time_s)
        return pose and pose._replace(x=pose.x + begin + (end - begin) * share)

    return motion


def pass_before(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who sit, and one more who passes before them again and again, each time coming in anew."""
    *sitters, walker = actors
    parts = [Part(a, sitting(rng, *seat)) for a, seat in zip(sitters, seats(rng, len(sitters), (70, 100)), strict=True)]
    begin_s = rng.uniform(4, 6)
    while begin_s < DURATION_S - 6:
        crossing_s, height = rng.uniform(3, 6), rng.uniform(110, 130)
        sides = (-height, WIDTH + height)[:: rng.choice((-1, 1))]
        y = HEIGHT * rng.uniform(0.4, 0.5)
        parts.append(Part(walker, walking(rng, begin_s, begin_s + crossing_s, sides[0], sides[1], y, height)))
        begin_s += crossing_s + rng.uniform(4, 6)
    return Film(parts, DURATION_S, plain_room(rng))


def come_and_go(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who come in, sit down, and leave, each several times."""
    parts = []
    for actor, (x, y, height) in zip(actors, seats(rng, len(actors), (80, 120)), strict=True):
        begin_s = rng.uniform(0, 8)
        while begin_s < DURATION_S - 8:
            stay_s = rng.uniform(8, 18)
            parts.append(Part(actor, visit(rng, x, y, height, begin_s, begin_s + stay_s)))
            begin_s += stay_s + rng.uniform(4, 8)
    return Film(parts, DURATION_S, plain_room(rng))


def visit(rng: np.random.Generator, x: float, y: float, height: float, begin_s: float, end_s: float) -> Motion:
    """Return the motion of somebody who comes from the nearer side, sits, and leaves to it."""
    there = sitting(rng, x, y, height)
    outside = -height - x if x < WIDTH / 2 else WIDTH + height - x
    arriving = moved(there, begin_s, 2.0, -outside)
    leaving = moved(arriving, end_s - 2.0, 2.0, outside)

    def motion(time_s: float) -> Pose | None:
        pose = leaving(time_s) if begin_s <= time_s <= end_s else None
        return pose and pose._replace(x=pose.x + outside)

    return motion


def hide(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who sit, and whose faces are hidden for 0.5 to 2 s now and then, while they lean to a side."""
    leaning = [lean(rng, *seat) for seat in seats(rng, len(actors), (80, 120))]
    return film(rng, actors, [hidden(motion, spans_s) for motion, spans_s in leaning])


def lose(rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """People who sit and lean to a side, before a camera that loses up to ten images in turn."""
    leaning = [lean(rng, *seat) for seat in seats(rng, len(actors), (80, 120))]
    lost, number = set[int](), 20
    while number < DURATION_S * IMAGES_HZ:
        count = int(rng.integers(1, 11))
        lost.update(range(number, number + count))
        number += count + int(rng.integers(20, 40))
    return film(rng, actors, [motion for motion, _ in leaning])._replace(lost=frozenset(lost))


def lean(rng: np.random.Generator, x: float, y: float, height: float) -> tuple[Motion, list[tuple[float, float]]]:
    """Return the motion of somebody who sits and leans to a side now and then, and when they do."""
    motion, spans_s = sitting(rng, x, y, height), list[tuple[float, float]]()
    begin_s, at = rng.uniform(3, 6), 0.0
    while begin_s < DURATION_S - 4:
        lasts_s = rng.uniform(0.5, 2.0)
        spans_s.append((begin_s, begin_s + lasts_s))
        to = rng.uniform(-0.3, 0.3) * height
        motion, at = moved(motion, begin_s, lasts_s, to - at), to
        begin_s += lasts_s + rng.uniform(4, 7)
    return motion, spans_s


def darkened(compose: Compose, rng: np.random.Generator, actors: Sequence[Actor]) -> Film:
    """Return a film in a fifth of its light, with a small sensor's noise."""
    return compose(rng, actors)._replace(light=0.2, noise=4.0)


CONDITIONS: dict[str, tuple[int, Compose]] = {
    "two sit": (2, sit),
    "four sit": (4, sit),
    "two turn": (2, turn),
    "two cross": (2, cross),
    "three cross": (3, cross),
    "two sit, one passes before them": (3, pass_before),
    "three come and go": (3, come_and_go),
    "three hidden for 0.5 to 2 s": (3, hide),
    "three, images lost": (3, lose),
    "two cross in the dark": (2, partial(darkened, cross)),
}
"""Number of people and film by condition."""
