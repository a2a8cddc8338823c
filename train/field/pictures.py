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
RIM = 0.03
"""Thickness of the rims of ordinary glasses, as a share of the face."""
REFLECTED = 0.1
"""Share of white in what is seen through clear lenses."""
BLACK = (15, 15, 15)
HEAD = 0.6
"""Radius of the cylinder on which a face is turned away, as a share of the face's width."""
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


def turned_away(image: Image, box: Box, yaw_degrees: float) -> tuple[Image, Box]:
    """Return an image with the face turned to the image's right, or left for negative degrees, and its visible part.

    The face lies on an upright cylinder, 1.2 times as wide as it, seen from afar. As a head's, its far side is
    foreshortened and what turns out of sight is cut off; its near side is spread, and the background moves up to it.
    It is no profile: the nose neither stands out nor hides a cheek, no ear and no side of the head appear, the light
    turns with the face, and so do neck and shoulders.
    """
    if yaw_degrees < 0:
        mirrored, part = turned_away(image[:, ::-1], box._replace(x=image.shape[1] - box.x - box.width), -yaw_degrees)
        return np.ascontiguousarray(mirrored[:, ::-1]), part._replace(x=image.shape[1] - part.x - part.width)
    radius, middle, yaw = HEAD * box.width, box.x + box.width / 2, np.radians(yaw_degrees)
    x = (np.arange(image.shape[1]) + 0.5 - middle) / radius
    on_head = np.sin(np.arcsin(x.clip(-1, 1)) - yaw)
    source = np.select([x <= -np.cos(yaw), x < 1], [x - 1 + np.cos(yaw), on_head], x) * radius + middle - 0.5
    columns = np.broadcast_to(source.astype(np.float32), image.shape[:2])
    rows = np.broadcast_to(np.arange(image.shape[0], dtype=np.float32)[:, None], image.shape[:2])
    made = cv2.remap(image, columns.copy(), rows.copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    edge = np.arcsin(1 / (2 * HEAD))
    left, right = (round(middle + radius * np.sin(min(at + yaw, np.pi / 2))) for at in (-edge, edge))
    return np.asarray(made, np.uint8), box._replace(x=left, width=right - left)


def glasses(image: Image, box: Box) -> Image:
    """Return an image with ordinary glasses drawn on the face: dark rims, and clear lenses that shine a little."""
    made, lenses = image.copy(), np.zeros(image.shape[:2], np.uint8)
    radius, thickness = round(LENS * box.width), max(1, round(RIM * box.width))
    (left, height), (right, _) = places = lens_centres(box)
    for centre in places:
        cv2.circle(lenses, centre, radius, 1, -1)
    seen = lenses > 0
    made[seen] = (1 - REFLECTED) * made[seen] + REFLECTED * 255
    for begin, end in ((box.x, left - radius), (left + radius, right - radius), (right + radius, box.x + box.width)):
        cv2.line(made, (begin, height), (end, height), BLACK, thickness)
    for centre in places:
        cv2.circle(made, centre, radius, BLACK, thickness, cv2.LINE_AA)
    return made


def sunglasses(image: Image, box: Box) -> Image:
    """Return an image with dark glasses drawn on the face."""
    made, places = image.copy(), lens_centres(box)
    cv2.line(made, places[0], places[1], BLACK, max(1, box.width // 30))
    for centre in places:
        cv2.circle(made, centre, round(LENS * box.width), BLACK, -1, cv2.LINE_AA)
    return made


def lens_centres(box: Box) -> list[tuple[int, int]]:
    """Return the centres of the left and the right lens, across and down, in pixels."""
    return [(round(box.x + x * box.width), round(box.y + y * box.height)) for x, y in GLASSES]


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
