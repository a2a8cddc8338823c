"""Drawing of a prediction into a frame: the face's box with the steady label, and a bar a label."""

from collections.abc import Sequence

import cv2
import numpy as np

from ..preprocess.images import Image
from ..system.palette import label_colour
from .rows import Row

FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
SHADE = 0.45
"""Brightness that is left of the picture behind the bars."""
REFERENCE_PX = 480
"""Shorter side at which letters and lines have their own size."""


def draw(image: Image, heard: Row, seen: Row) -> Image:
    """Draw into a frame uint8 `[H, W, 3]` RGB, in place: `heard` gives labels and bars, `seen` the box."""
    scale = max(0.4, min(image.shape[:2]) / REFERENCE_PX)
    labels = list(heard.probs)
    if seen.box is not None:
        draw_box(image, seen, heard.steady_label, colour_of(heard.steady_label, labels), scale)
    draw_bars(image, heard, scale)
    return image


def draw_people(image: Image, people: Sequence[tuple[Row, Row]]) -> Image:
    """Draw several people into a frame, in place: each one's box with number and label, and bars of one of them.

    `people` are as for `draw`. The bars are those of who speaks, else of who is nearest: of the largest box.
    """
    scale = max(0.4, min(image.shape[:2]) / REFERENCE_PX)
    for heard, seen in people:
        if seen.box is not None:
            label = f"{seen.face_id} {heard.steady_label}"
            draw_box(image, seen, label, colour_of(heard.steady_label, list(heard.probs)), scale)
    if people:
        draw_bars(image, max((heard for heard, _ in people), key=prominence), scale)
    return image


def prominence(row: Row) -> tuple[bool, int]:
    """Return what a person stands out by: a voice, then the size of the face in pixels."""
    return row.audio == "ok", row.box.width * row.box.height if row.box else 0


def colour_of(label: str, labels: Sequence[str]) -> tuple[int, int, int]:
    """Return the colour of a label in RGB; white for `uncertain`."""
    if label not in labels:
        return WHITE
    red, green, blue = bytes.fromhex(label_colour(labels.index(label)).lstrip("#"))
    return red, green, blue


def draw_box(image: Image, row: Row, label: str, colour: tuple[int, int, int], scale: float) -> None:
    """Draw the box of the face and a label above it, or inside where there is no room above."""
    assert row.box is not None
    x, y, width, height = row.box
    cv2.rectangle(image, (x, y), (x + width, y + height), colour, round(2 * scale))
    line_px = round(24 * scale)
    write(image, label, (max(0, x), y - line_px // 3 if y > line_px else y + line_px), 1.4 * scale, WHITE)


def draw_bars(image: Image, row: Row, scale: float) -> None:
    """Draw a bar for the probability of each label into the lower left corner, which is shaded."""
    line_px, bar_px, text_px = round(18 * scale), round(100 * scale), round(90 * scale)
    height = line_px * len(row.probs) + line_px // 2
    top = max(0, image.shape[0] - height)
    corner = image[top:, : text_px + bar_px + round(60 * scale)]
    corner[:] = np.asarray(corner * SHADE, np.uint8)
    for number, (label, probability) in enumerate(row.probs.items(), 1):
        base = top + number * line_px
        colour = colour_of(label, list(row.probs))
        write(image, label, (round(6 * scale), base), scale, WHITE)
        end = text_px + round(bar_px * probability)
        cv2.rectangle(image, (text_px, base - round(9 * scale)), (end, base), colour, -1)
        write(image, f"{probability:.0%}", (end + round(4 * scale), base), scale, WHITE)


def write(image: Image, text: str, place: tuple[int, int], scale: float, colour: tuple[int, int, int]) -> None:
    """Write a text whose base begins at a place, outlined in black."""
    cv2.putText(image, text, place, FONT, 0.45 * scale, BLACK, round(3 * scale), cv2.LINE_AA)
    cv2.putText(image, text, place, FONT, 0.45 * scale, colour, max(1, round(scale)), cv2.LINE_AA)
