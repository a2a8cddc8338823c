"""Association of faces that were detected in an image with the people who are sought in it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .face_detector import Face
from .face_looks import Look, look_of
from .followed_person import FollowedPerson
from .pictures import Picture

ALIKE_HERE, ALIKE_ELSEWHERE = 0.15, 0.4
"""Correlations of looks from which on a face is taken for a person's: exactly where and as large as theirs is expected,
and elsewhere. Those of different people in films made of photographs reach 0.3 in one pair of ten, 0.4 in one of 40."""
LESS_LIKELY, PER_IMAGE = 0.5, 0.02
"""Correlation that is asked for beyond the first for a distance of one width, and for a size e times as large; and for
each image in which the person was lost."""
REACH, FURTHER = 1.0, 0.6
"""Distance at which a face can be a person's, in widths of it: at once, and for each image in which they were lost."""
MOST_RESIZED = 2.1
"""Factor by which a face may seem to have grown or shrunk: where it is rolled, the cascade finds it half as large."""
WIDTH_COST, SIZE_COST, RECENT = 0.1, 0.3, 0.3
"""Correlations that a distance of one width, and a size e times as large, outweigh; and what it counts that somebody
was seen in the image before."""


class DetectedFace(NamedTuple):
    """Face that was detected, and how it looks."""

    face: Face
    look: Look


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
    looks: dict[int, Look] = {}
    claims = []
    for number, person in enumerate(sought):
        for index, face in enumerate(faces):
            if resized(person, face) > MOST_RESIZED or not is_within_reach(person, face):
                continue
            away = distance(person, face)
            if index not in looks:
                looks[index] = look_of(image, face)
            alike = person.looks.alike(looks[index])
            if alike >= least_alike(person, face, away):
                claims.append(Claim(alike + likelihood(person, face, away), number, index))
    pairs: dict[int, int] = {}
    for claim in sorted(claims, key=lambda claim: (-claim.score, claim.person, claim.face)):
        if claim.person not in pairs and claim.face not in pairs.values():
            pairs[claim.person] = claim.face
    return [(sought[number], DetectedFace(faces[index], looks[index])) for number, index in pairs.items()]


def least_alike(person: FollowedPerson, face: Face, away: float) -> float:
    """Return the correlation of looks from which on a face so many widths away is taken for a person's."""
    further = LESS_LIKELY * (away + math.log(resized(person, face))) + PER_IMAGE * (person.lost - 1)
    return min(ALIKE_ELSEWHERE, ALIKE_HERE + further)


def likelihood(person: FollowedPerson, face: Face, away: float) -> float:
    """Return the correlation of looks that place, size and time outweigh, of a face so many widths away."""
    cost = WIDTH_COST * away + SIZE_COST * math.log(resized(person, face))
    return (RECENT if person.lost == 1 else 0.0) - cost


def is_within_reach(person: FollowedPerson, face: Face) -> bool:
    """Return whether a face is near enough to be a lost person's."""
    return distance(person, face) <= REACH + FURTHER * (person.lost - 1)


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
