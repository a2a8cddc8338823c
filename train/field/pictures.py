"""Conditions of pictures: what distance, light, turn, cover and lens do to a face.

Images are uint8 `[H, W, 3]`, RGB.
"""

from collections.abc import Callable

import cv2
import numpy as np

from edge.geometry import Box
from edge.preprocess.images import Image

WIDTH, HEIGHT = 1280, 720
BACKDROP = (70, 150)
"""Range of the grey of a wall behind the face."""
MARGIN = 0.5
"""Width of the frame around a picture, as a share of it, in which it fades into the wall."""
GLASSES = ((0.30, 0.37), (0.70, 0.37))
"""Centres of the lenses, across and down, as shares of the face."""
LENS = 0.17
"""Radius of a lens, as a share of the face."""
JPEG_QUALITY = 8
LOW_LIGHT = 0.08
"""Share of the light that is left; noise is that of a small sensor."""

Alter = Callable[[Image, Box, np.random.Generator], Image]
"""Change of an image whose face lies in the box."""


def wall(rng: np.random.Generator) -> Image:
    """Return a grey wall of 1280 x 720, one side of it lighter."""
    row = rng.uniform(*BACKDROP) + np.linspace(-20, 20, WIDTH)
    return np.broadcast_to(row[:, None], (HEIGHT, WIDTH, 3)).astype(np.uint8)


def pasted(
    background: Image,
    picture: Image,
    share: float,
    height: float,
    centre: tuple[float, float],
    roll_degrees: float = 0.0,
    turn: float = 0.0,
) -> tuple[Image, Box]:
    """Return a background with a face on it, `height` pixels high, and the face's box.

    The face fills the middle `share` of its square picture. It is rolled clockwise and, as a flat picture would be,
    turned away by the angle whose sine is `turn`; the picture's edges are mirrored and fade into the background.
    """
    side = picture.shape[0]
    edge = round(MARGIN * side)
    framed = np.asarray(cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_REFLECT_101), np.uint8)
    middle = (framed.shape[0] - 1) / 2
    scale, squeeze = height / share / side, float(np.sqrt(1 - turn**2))
    if scale < 1:  # averaged, as a lens does: a warp alone would skip pixels
        framed = np.asarray(cv2.GaussianBlur(framed, (0, 0), 0.4 / scale), np.uint8)
    cos, sin = np.cos(np.radians(roll_degrees)) * scale, np.sin(np.radians(roll_degrees)) * scale
    matrix = np.array([[cos * squeeze, -sin, 0], [sin * squeeze, cos, 0]])
    matrix[:, 2] = centre - matrix[:, :2] @ np.full(2, middle)
    away = np.abs(np.arange(framed.shape[0]) - middle) / (side / 2)
    fade = ((1 + MARGIN - np.maximum.outer(away, away)) / MARGIN).clip(0, 1).astype(np.float32)
    size = background.shape[1], background.shape[0]
    drawn = cv2.warpAffine(framed.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(fade, matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    image = (alpha * drawn + (1 - alpha) * background).clip(0, 255).astype(np.uint8)
    left, top = round(centre[0] - squeeze * height / 2), round(centre[1] - height / 2)
    return image, Box(left, top, round(squeeze * height), round(height))


def covered(image: Image, box: Box, left: float, top: float, right: float, bottom: float) -> Image:
    """Return an image with a part of the face under a flat grey, sides as shares of the face."""
    made = image.copy()
    rows = slice(max(0, round(box.y + top * box.height)), max(0, round(box.y + bottom * box.height)))
    columns = slice(max(0, round(box.x + left * box.width)), max(0, round(box.x + right * box.width)))
    made[rows, columns] = 128
    return made


def sunglasses(image: Image, box: Box) -> Image:
    """Return an image with dark glasses drawn on the face."""
    made = image.copy()
    places = [(round(box.x + x * box.width), round(box.y + y * box.height)) for x, y in GLASSES]
    cv2.line(made, places[0], places[1], (15, 15, 15), max(1, box.width // 30))
    for centre in places:
        cv2.circle(made, centre, round(LENS * box.width), (15, 15, 15), -1, cv2.LINE_AA)
    return made


def blurred(image: Image, box: Box, share: float) -> Image:
    """Return an image out of focus: a Gaussian of that share of the face's height."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), share * box.height), np.uint8)


def low_light(image: Image, rng: np.random.Generator) -> Image:
    """Return an image with a twelfth of its light, and a sensor's noise."""
    return (image * LOW_LIGHT + rng.normal(0, 2, image.shape)).clip(0, 255).astype(np.uint8)


def back_light(image: Image, box: Box) -> Image:
    """Return an image with a bright background and a dark face."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    away = np.hypot((x - box.x - box.width / 2) / box.width, (y - box.y - box.height / 2) / box.height)
    share = ((away - 0.8) / 0.4).clip(0, 1)[..., None]
    return (share * 250 + (1 - share) * (0.3 * image + 5)).clip(0, 255).astype(np.uint8)


def jpeg(image: Image) -> Image:
    """Return an image through JPEG at quality 8."""
    stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)
