"""Looks of a followed person's face: a few small grey pictures, by which it is told from those of others.

They are kept in memory while the person is followed and for `FORGOTTEN_AFTER` images more, and are never stored or
published: too small and too few to know somebody again another day, enough to tell apart the people in one room.
"""

from collections import deque

import cv2
import numpy as np

from .face_detector import Face, surroundings
from .images import Image, resize
from .pictures import Picture, grey_part

LOOK_PX, CORE_PX = 32, 24
"""Sides of a picture, and of its middle, which is looked for in another picture: boxes lie a little beside the face."""
MARGIN = 0.15
"""Margin of a picture around the face's box, as a share of its width."""
MOST_LOOKS = 4
"""Number of pictures that are kept of one person, the newest: a head that turns and speaks looks different."""
NEW_LOOK = 0.85
"""Correlation below which a picture shows something new of a person."""


class FaceLooks:
    """The last few different looks of one followed face."""

    def __init__(self) -> None:
        self._looks: deque[Image] = deque(maxlen=MOST_LOOKS)

    def take(self, look: Image) -> None:
        """Keep a look, where it differs from those that are kept."""
        if self.alike(look) < NEW_LOOK:
            self._looks.append(look)

    def alike(self, look: Image) -> float:
        """Return the correlation with the look that is most alike, -1 to 1; -1 where none is kept."""
        return max((correlation(kept, look) for kept in self._looks), default=-1.0)


def look_of(image: Picture, face: Face) -> Image:
    """Return the small grey picture `[LOOK_PX, LOOK_PX]` of a face in an image, level."""
    part = surroundings(face.box, image, round(face.box.width * MARGIN))
    if part.area() == 0:
        return np.zeros((LOOK_PX, LOOK_PX), np.uint8)
    look = resize(grey_part(image, part), LOOK_PX, LOOK_PX)
    if face.turn_deg == 0:
        return look
    middle = (LOOK_PX - 1) / 2
    forward = cv2.getRotationMatrix2D((middle, middle), face.turn_deg, 1.0)
    levelled = cv2.warpAffine(look, forward, (LOOK_PX, LOOK_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(levelled, np.uint8)


def correlation(one: Image, other: Image) -> float:
    """Return the largest correlation of one look's middle with any place in another, whatever the light."""
    edge = (LOOK_PX - CORE_PX) // 2
    core = np.ascontiguousarray(one[edge:-edge, edge:-edge])
    return float(cv2.matchTemplate(other, core, cv2.TM_CCOEFF_NORMED).max())
