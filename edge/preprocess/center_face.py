"""Detection of faces by CenterFace, at any roll, in the convention of the cascade: crops are those of training."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry import Box
from .center_face_graph import CenterFaceGraph
from .face_detector import Face, Way, largest_face, surroundings
from .images import Image, cut, resize, stretch
from .pictures import Picture, rgb_image

FOLLOWED_FACE_PX, FOLLOWED_SIDE_PX = 40, 64
"""Width to which a known face is scaled to look for it again, and the sides of the picture around it."""
FOUND, FOLLOWED = 0.2, 0.15
"""Scores from which on a place is a face, and a known face is still one."""
MOST_RESIZED = 2.0
"""Factor by which a known face may have grown or shrunk since the image before, or have been measured wrongly."""
LEAST_PX = 16
"""Width in the image of the smallest face that is followed."""

FACE = np.array([-0.353 - 0.389j, 0.353 - 0.389j, 0.025j, -0.288 + 0.376j, 0.288 + 0.376j])
"""Landmarks of a mean, level face about their centre, x and iy, the sum of their squares 1."""
WIDTH = 1.40
"""Width of the cascade's box, as a multiple of the geometric mean of the landmarks' scale and the face's size."""
UP = 0.10
"""Distance by which the cascade's box is above the landmarks' centre, as a share of its width."""

WHOLE = Way((160, 320), (1 / 18, 1.0))
"""Large and covered faces are found best in the first look, at a quarter of the cost; both take less than the cascade's
one."""
QUARTERS = tuple(Way((640,), (1 / 18, 1 / 4), quarter=number) for number in range(4))


class CenterFaceDetector:
    """CenterFace (Xu et al. 2019), whose landmarks tell a face's roll."""

    ways = tuple(way for each in QUARTERS for way in (WHOLE, each))
    glance = WHOLE
    turn_steps_deg = ()

    def __init__(self, graph: CenterFaceGraph) -> None:
        self._graph = graph

    def search(self, image: Picture, way: Way, part: Box, shrink: float) -> list[Face]:
        """Return the faces in a part of an image, whatever their roll; it is not turned, and no search is quick.

        The largest is looked at again as it will be followed: the size of what is small in a picture is often wrong.
        """
        width, height = round(part.width * shrink), round(part.height * shrink)
        if min(width, height) < 1:
            return []
        picture = resize(cut(rgb_image(image), part), height, width)
        back = np.array([[part.width / width, 0, part.x], [0, part.height / height, part.y]])
        found = sorted(self._look(picture, back, image, way.widths_px(image), FOUND), key=Face.rank)
        return [largest_face(self.follow(image, face, face.turn_deg)) or face for face in found[:1]] + found[1:]

    def follow(self, image: Picture, known: Face, turn_deg: float) -> list[Face]:
        """Return the likeliest face about the place and of about the size of a known one, in a levelled picture."""
        width = known.box.width
        picture, back = levelled(image, known.box, turn_deg)
        widths = max(LEAST_PX, width / MOST_RESIZED), width * MOST_RESIZED
        found = self._look(picture, back, image, widths, FOLLOWED)
        return [face for face in found if face.box.is_near(known.box)][:1]

    def _look(
        self,
        picture: Image,
        back: NDArray[np.float64],
        image: Picture,
        widths: tuple[float, float],
        threshold: float,
    ) -> list[Face]:
        """Return the faces in a picture of a part of the image, the likeliest first.

        The matrix `[2, 3]` takes the picture's points to the image.
        """
        found = self._graph(stretch(picture), threshold)
        sizes = np.sqrt(found.boxes[:, 2] * found.boxes[:, 3] * abs(np.linalg.det(back[:, :2])))
        landmarks = found.landmarks @ back[:, :2].T + back[:, 2]
        faces = [as_cascade(size, points, image) for size, points in zip(sizes.tolist(), landmarks, strict=True)]
        return [face for face in faces if widths[0] <= face.box.width <= widths[1]]


def levelled(image: Picture, box: Box, turn_deg: float) -> tuple[Image, NDArray[np.float64]]:
    """Return the small picture around a box, turned counter-clockwise; what is outside the image is black.

    The matrix `[2, 3]` takes the picture's points back to the image.
    """
    shrink, half = FOLLOWED_FACE_PX / box.width, FOLLOWED_SIDE_PX / 2
    around = half * np.sqrt(2) / shrink - box.width / 2  # a turned picture reaches so far beyond the box
    part = surroundings(box, image, round(around))
    if part.area() == 0:
        return np.zeros((FOLLOWED_SIDE_PX, FOLLOWED_SIDE_PX, 3), np.uint8), np.eye(2, 3)
    width, height = max(1, round(part.width * shrink)), max(1, round(part.height * shrink))
    scale = np.array([width / part.width, height / part.height])
    centre = scale * (box.x + box.width / 2 - part.x, box.y + box.height / 2 - part.y)
    forward = cv2.getRotationMatrix2D(tuple(centre.tolist()), turn_deg, 1.0)
    forward[:, 2] += (half - centre).tolist()
    small = resize(cut(rgb_image(image), part), height, width)
    picture = cv2.warpAffine(small, forward, (FOLLOWED_SIDE_PX, FOLLOWED_SIDE_PX))
    back = cv2.invertAffineTransform(forward) / scale[:, None]
    back[:, 2] += (part.x, part.y)
    return np.asarray(picture, np.uint8), np.asarray(back, np.float64)


def as_cascade(size: float, landmarks: NDArray[np.float64], image: Picture) -> Face:
    """Return the face of that size (the geometric mean of its sides) and with those landmarks `[5, 2]` in an image.

    Its box is the one that the cascade would give it; where its corner would lie outside the image it moves in.
    """
    x, y = landmarks.mean(axis=0).tolist()
    offsets = landmarks - (x, y)
    scaled = np.vdot(FACE, offsets[:, 0] + 1j * offsets[:, 1])  # the similarity of least squares
    rows, columns = image.shape[:2]
    width = min(rows, columns, round(WIDTH * float(np.sqrt(abs(scaled) * size))))
    turned = scaled / abs(scaled)
    return Face(
        Box(
            max(0, min(columns - width, round(x + UP * width * turned.imag - width / 2))),
            max(0, min(rows - width, round(y - UP * width * turned.real - width / 2))),
            width,
            width,
        ),
        float(np.degrees(np.angle(scaled))),
    )
