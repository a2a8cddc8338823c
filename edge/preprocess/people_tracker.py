"""Tracking of several people in the images of one camera: each keeps a number from image to image."""

from typing import NamedTuple

from .face_detector import Face


class TrackedFace(NamedTuple):
    """Face of a person who is followed."""

    person: int
    """Number of the person in this run: 1, 2, ... in the order in which they were found; never given again."""
    face: Face
