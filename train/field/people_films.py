"""Made films of several people before one camera, drawn from pictures of their faces; who is where is known.

A head is an ellipse cut from its picture, on shoulders of a plain grey; who is nearer the camera is larger and hides
the others. Images are uint8 `[H, W, 3]`, RGB.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry import Box
from edge.preprocess.images import Image

from .pictures import turned_away

WIDTH, HEIGHT = 640, 480
IMAGES_HZ = 5
HEAD_ACROSS, HEAD_DOWN = 0.62, 0.74
"""Half axes of a head, as multiples of the face's height."""
EDGE = 0.06
"""Width in which a head fades into what is behind it, as a share of its half axes."""
FLAT = 110
"""Grey of what hides a face."""


class Actor(NamedTuple):
    """Pictures of one person's face."""

    pictures: Sequence[Image]
    """Square pictures, shown one an image, to and fro."""
    share: float
    """Height of the face, in the middle of its picture, as a share of that."""
    grey: int
    """Grey of the shoulders."""


class Pose(NamedTuple):
    """Place of a person's face in an image."""

    x: float
    y: float
    """Centre, in pixels."""
    height: float
    """Height of the face, in pixels."""
    roll_deg: float = 0.0
    """Clockwise."""
    yaw_deg: float = 0.0
    """To the image's right; see `turned_away`."""
    is_hidden: bool = False
    """True where something flat is held before the face."""

    def box(self) -> Box:
        """Return the square about the face."""
        side = round(self.height)
        return Box(round(self.x - self.height / 2), round(self.y - self.height / 2), side, side)


Motion = Callable[[float], Pose | None]
"""Function of the time in seconds that tells where a person is; None where they are not there."""


class Part(NamedTuple):
    """Part of a person in a film; each time that they come in anew is a part of its own."""

    actor: Actor
    motion: Motion


class Film(NamedTuple):
    """Film of several people."""

    parts: Sequence[Part]
    duration_s: float
    room: Image
    lost: frozenset[int] = frozenset()
    """Numbers of the images that the camera does not deliver."""
    light: float = 1.0
    """Share of the light that is left."""
    noise: float = 2.0
    """Standard deviation of the camera's noise, in greys."""


class Visible(NamedTuple):
    """Face in an image of a film."""

    part: int
    """Number of the part, from 0 on."""
    box: Box
    share: float
    """Share of the face's square that is inside the image and that nothing hides."""
    is_frontal: bool
    """False for a face that is rolled or turned away further than detectors promise to find it."""


MOST_ROLLED_DEG, MOST_TURNED_DEG = 30.0, 30.0


def shown(film: Film, rng: np.random.Generator) -> Iterator[tuple[Image, list[Visible]]]:
    """Yield each image that the camera delivers, and the faces in it."""
    for number in range(round(film.duration_s * IMAGES_HZ)):
        if number in film.lost:
            continue
        poses = [(index, part.motion(number / IMAGES_HZ)) for index, part in enumerate(film.parts)]
        there = sorted(((index, pose) for index, pose in poses if pose), key=lambda each: each[1].height)
        image, owner = film.room.copy(), np.full(film.room.shape[:2], -1, np.int16)
        for index, pose in there:
            draw(image, owner, film.parts[index].actor, pose, index, number)
        noise = film.noise * rng.standard_normal((*image.shape[:2], 1), np.float32)
        noisy = np.float32(film.light) * image + noise
        yield noisy.clip(0, 255).astype(np.uint8), [visible(index, pose, owner) for index, pose in there]


def draw(image: Image, owner: NDArray[np.int16], actor: Actor, pose: Pose, index: int, number: int) -> None:
    """Draw a person before what is there, and write their number into the pixels of their head and shoulders."""
    height, centre = pose.height, (round(pose.x), round(pose.y))
    shoulders = (round(pose.x), round(pose.y + 1.55 * height)), (round(1.1 * height), round(0.95 * height))
    for canvas, value in ((image, (actor.grey,) * 3), (owner, index)):
        cv2.ellipse(canvas, *shoulders, 0, 0, 360, value, -1)
    head, alpha = head_of(actor, pose, number)
    side = head.shape[0]
    left, top = centre[0] - side // 2, centre[1] - side // 2
    inside = (
        slice(max(0, top), max(0, min(image.shape[0], top + side))),
        slice(max(0, left), max(0, min(image.shape[1], left + side))),
    )
    cut = tuple(slice(part.start - begin, part.stop - begin) for part, begin in zip(inside, (top, left), strict=True))
    if min(part.stop - part.start for part in inside) <= 0:
        return
    weight = alpha[cut][..., None]
    image[inside] = (weight * head[cut] + (1 - weight) * image[inside]).astype(np.uint8)
    owner[inside][alpha[cut] > 0.5] = index
    if pose.is_hidden:
        x, y, width, tall = pose.box()
        image[max(0, y - tall // 4) : y + tall + tall // 4, max(0, x - width // 5) : x + width + width // 5] = FLAT
        owner[max(0, y - tall // 4) : y + tall + tall // 4, max(0, x - width // 5) : x + width + width // 5] = -1


def head_of(actor: Actor, pose: Pose, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a head `[S, S, 3]`, rolled and turned away, and how much of it covers what is behind `[S, S]`."""
    beat = 2 * max(1, len(actor.pictures) - 1)
    place = number % beat
    picture = actor.pictures[min(place, beat - place) % len(actor.pictures)]
    middle = picture.shape[0] / 2
    if abs(pose.yaw_deg) > 1:
        face = round(actor.share * picture.shape[0])
        picture = turned_away(
            picture, Box(round(middle - face / 2), round(middle - face / 2), face, face), pose.yaw_deg
        )[0]
    scale = pose.height / (actor.share * picture.shape[0])
    if scale < 1:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), np.uint8)
    side = 2 * math.ceil(1.1 * HEAD_DOWN * pose.height) + 2
    matrix = cv2.getRotationMatrix2D((middle - 0.5, middle - 0.5), -pose.roll_deg, scale)
    matrix[:, 2] += side / 2 - middle + pose.x % 1, side / 2 - middle + pose.y % 1
    head = cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2
    cosine, sine = math.cos(math.radians(pose.roll_deg)), math.sin(math.radians(pose.roll_deg))
    across, down = (cosine * x + sine * y) / HEAD_ACROSS, (cosine * y - sine * x) / HEAD_DOWN
    away = np.hypot(across, down) / pose.height
    return head, ((1 + EDGE - away) / (2 * EDGE)).clip(0, 1).astype(np.float32)


def visible(index: int, pose: Pose, owner: NDArray[np.int16]) -> Visible:
    """Return what is visible of a face, by the numbers of those to whom the image's pixels belong."""
    x, y, width, height = box = pose.box()
    part = owner[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
    corners = 0.97  # of a square, so much is the head's: its corners are not
    share = min(1.0, float((part == index).sum()) / (corners * width * height))
    is_frontal = abs(pose.roll_deg) <= MOST_ROLLED_DEG and abs(pose.yaw_deg) <= MOST_TURNED_DEG
    return Visible(index, box, share, is_frontal)


def plain_room(rng: np.random.Generator) -> Image:
    """Return a room with furniture: soft patches and some upright and level edges."""
    patches = rng.uniform(60, 170, (5, 7, 1)).repeat(3, axis=2).astype(np.float32)
    room = np.asarray(cv2.resize(patches, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)).clip(20, 220)
    for _ in range(12):
        x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        width, height = (int(side) for side in rng.integers(10, 120, 2))
        room[y : y + height, x : x + width] += rng.uniform(-40, 40)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), 1.0).clip(0, 255), np.uint8)
