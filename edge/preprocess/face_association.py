"""Association of faces that were detected in an image with the people who are sought in it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .face_detector import Face
from .face_looks import look_of
from .followed_person import FollowedPerson
from .images import Image
from .pictures import Picture

SAME_PLACE, SAME_SIZE = 0.35, 1.15
"""Distance between where a face is expected and found, in widths of it, and factor between its sizes, up to which its
place speaks for it."""
ALIKE_HERE, ALIKE_ELSEWHERE = 0.47, 0.53
"""Correlations of looks from which on a face is taken for a person's: in the same place, and elsewhere. Those of
different people in films made of photographs reach 0.58 in one pair of ten."""
REACH, FURTHER = 1.0, 0.6
"""Distance at which a face can be a person's, in widths of it: at once, and for each image in which they were lost."""
MOST_RESIZED = 1.4
"""Factor by which a face may seem to have grown or shrunk."""
WIDTH_COST = 0.05
"""Correlation that a distance of one width outweighs."""


class DetectedFace(NamedTuple):
    """Face that was detected, and how it looks."""

    face: Face
    look: Image


class Claim(NamedTuple):
    """Pair of a person and a face that may be theirs."""

    score: float
    person: int
    """Place of the person among those who are sought."""
    face: int
    """Place of the face among those detected."""


def pair(
    sought: Sequence[FollowedPerson], image: Picture, faces: Sequence[Face]
) -> list[tuple[FollowedPerson, DetectedFace]]:
    """Return the people whose faces are among those detected; no face is of two people, the likeliest pairs first.

    A face is likely a person's where it looks like theirs and is where theirs is expected. Someone else's face in that
    place is told by its looks.
    """
    looks: dict[int, Image] = {}
    claims = []
    for number, person in enumerate(sought):
        for index, face in enumerate(faces):
            away = distance(person, face)
            if resized(person, face) > MOST_RESIZED or away > REACH + FURTHER * (person.lost - 1):
                continue
            if index not in looks:
                looks[index] = look_of(image, face)
            alike = person.looks.alike(looks[index])
            if alike >= least_alike(person, face, away):
                claims.append(Claim(alike - WIDTH_COST * away, number, index))
    pairs: dict[int, int] = {}
    for claim in sorted(claims, key=lambda claim: (-claim.score, claim.person, claim.face)):
        if claim.person not in pairs and claim.face not in pairs.values():
            pairs[claim.person] = claim.face
    return [(sought[number], DetectedFace(faces[index], looks[index])) for number, index in pairs.items()]


def least_alike(person: FollowedPerson, face: Face, away: float) -> float:
    """Return the correlation of looks from which on a face so many widths away is taken for a person's."""
    is_here = away <= SAME_PLACE and resized(person, face) <= SAME_SIZE
    return ALIKE_HERE if is_here else ALIKE_ELSEWHERE


def distance(person: FollowedPerson, face: Face) -> float:
    """Return how far a face is from where a person's is expected or was seen last, in widths of that."""
    found = face.box
    return min(
        math.hypot(found.x - box.x + (found.width - box.width) / 2, found.y - box.y + (found.height - box.height) / 2)
        / max(1, box.width)
        for box in (person.expected.box, person.face.box)
    )


def resized(person: FollowedPerson, face: Face) -> float:
    """Return the factor, 1 or more, between the widths of a face and of a person's where it was seen last."""
    small, large = sorted((face.box.width, person.face.box.width))
    return large / max(1, small)
