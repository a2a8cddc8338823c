"""Faces alone: cut out, and in a camera's picture under the conditions of pictures."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from edge.geometry import Box
from edge.preprocess.images import Image

from . import pictures
from .draws import generator
from .judge import Judge, Scene
from .recordings import PHOTOGRAPHED_FACE, Face, Recordings
from .rows import Row, Shown, Trial, judge_all, make_row

SECTION = "faces in 1280 x 720"
CUT_OUT = "faces cut out"
HEIGHTS_PX = (40, 60, 80, 100, 150, 200)
HEIGHT_PX = 150
"""Height of the face under every condition but that of its height."""
ROLLS_DEGREES = (-45, -30, -15, 15, 30, 45)
YAWS_DEGREES = (30, 45)
BLURS = (0.015, 0.03, 0.05)
HALVES = {"left": (0, 0, 0.5, 1), "lower": (0, 0.5, 1, 1), "upper": (0, 0, 1, 0.5)}
SECOND_FACE = 0.6
"""Height of a second face, as a share of the first one's."""

Compose = Callable[[np.random.Generator, Face], tuple[Image, Box]]


def conditions(photographs: Sequence[Face]) -> dict[str, Compose]:
    """Return every condition by its name."""
    made: dict[str, Compose] = {f"{height} px": partial(alone, height) for height in HEIGHTS_PX}
    for degrees in ROLLS_DEGREES:
        made[f"rolled {degrees:+d} degrees"] = partial(alone, HEIGHT_PX, roll_degrees=degrees)
    made["a flat picture turned 45 degrees"] = partial(alone, HEIGHT_PX, turn=float(np.sqrt(0.5)))
    for degrees in YAWS_DEGREES:
        made[f"turned away by {degrees} degrees"] = partial(turned_away, degrees)
    for half, sides in HALVES.items():
        made[f"{half} half covered"] = altered(partial(cover, sides))
    made["glasses"] = altered(lambda image, box, rng: pictures.glasses(image, box))
    made["sunglasses"] = altered(lambda image, box, rng: pictures.sunglasses(image, box))
    for share in BLURS:
        made[f"blurred by {100 * share:g} %"] = altered(partial(blur, share))
    made["low light"] = altered(lambda image, box, rng: pictures.low_light(image, rng))
    made["back light"] = altered(lambda image, box, rng: pictures.back_light(image, box))
    made["JPEG quality 8"] = altered(lambda image, box, rng: pictures.jpeg(image))
    made["a smaller second face"] = partial(beside_another, photographs)
    return made


def alone(
    height: float, rng: np.random.Generator, face: Face, *, roll_degrees: float = 0.0, turn: float = 0.0
) -> tuple[Image, Box]:
    """Return a face on a wall, and its box."""
    wall = pictures.wall(rng)
    centre = pictures.WIDTH * rng.uniform(0.35, 0.65), pictures.HEIGHT * rng.uniform(0.42, 0.58)
    return pictures.pasted(wall, face.image, PHOTOGRAPHED_FACE, height, centre, roll_degrees, turn)


def turned_away(degrees: float, rng: np.random.Generator, face: Face) -> tuple[Image, Box]:
    """Return a face on a wall, turned away to one side or the other, and the box of what is visible of it."""
    image, box = alone(HEIGHT_PX, rng, face)
    return pictures.turned_away(image, box, degrees * rng.choice((-1, 1)))


def altered(alter: pictures.Alter) -> Compose:
    """Return a condition that changes the image of a face on a wall."""

    def compose(rng: np.random.Generator, face: Face) -> tuple[Image, Box]:
        image, box = alone(HEIGHT_PX, rng, face)
        return alter(image, box, rng), box

    return compose


def cover(sides: tuple[float, float, float, float], image: Image, box: Box, rng: np.random.Generator) -> Image:
    """Cover a part of the face."""
    return pictures.covered(image, box, *sides)


def blur(share: float, image: Image, box: Box, rng: np.random.Generator) -> Image:
    """Blur the image."""
    return pictures.blurred(image, box, share)


def beside_another(photographs: Sequence[Face], rng: np.random.Generator, face: Face) -> tuple[Image, Box]:
    """Return a face with a smaller one of another person beside it, and the larger one's box."""
    image, box = alone(HEIGHT_PX, rng, face)
    others = [other for other in photographs if other.subject.speaker != face.subject.speaker] or [face]
    is_right = box.x + box.width / 2 > pictures.WIDTH / 2
    centre = pictures.WIDTH * (0.15 if is_right else 0.85), pictures.HEIGHT / 2
    other = others[rng.integers(len(others))]
    return pictures.pasted(image, other.image, PHOTOGRAPHED_FACE, SECOND_FACE * HEIGHT_PX, centre)[0], box


def plan(judge: Judge, recordings: Recordings, seed: int) -> Iterator[Trial]:
    """Yield trials of cut-out faces, and one for each condition where there are photographs."""
    for name, faces in (
        ("FER2013, majority of ten raters", recordings.faces),
        ("FER2013, first labels", recordings.faces_as_first_labelled),
    ):
        yield Trial(CUT_OUT, name, partial(run_cut_out, judge, faces, name))
    photographs = recordings.photographs
    for name, compose in conditions(photographs).items() if photographs else ():
        yield Trial(SECTION, name, partial(run, judge, photographs, compose, seed, name))


def run_cut_out(judge: Judge, faces: Sequence[Face], name: str) -> list[Row]:
    """Return the row of faces that fill the image."""
    shown = (Shown(Scene(None, face.image, "whole"), face.subject) for face in faces)
    return [make_row(CUT_OUT, name, judge_all(judge, shown))]


def run(judge: Judge, photographs: Sequence[Face], compose: Compose, seed: int, name: str) -> list[Row]:
    """Return the row of photographs under one condition."""
    return [make_row(SECTION, name, judge_all(judge, compose_all(photographs, compose, seed)))]


def compose_all(photographs: Sequence[Face], compose: Compose, seed: int) -> Iterator[Shown]:
    """Yield each photograph on a wall, at the same place under every condition."""
    for index, face in enumerate(photographs):
        image, box = compose(generator(seed, "wall", str(index)), face)
        yield Shown(Scene(None, image), face.subject, box)
