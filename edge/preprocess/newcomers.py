"""Newcomers: faces that are new in the images, until it is known whether they are those of people who are missing."""

from collections.abc import Iterable, Sequence

from .face_association import MOST_RESIZED, is_within_reach, resized
from .face_detector import Face
from .followed_person import FollowedPerson

LATEST = 8
"""Images in which a newcomer is looked at before they have a number of their own though somebody is missing."""
SOON = 3
"""Images in which they are looked at before they are taken for who was seen last in the same place."""
GONE_AFTER = 2
"""Images without a newcomer after which they are forgotten."""
ALIKE, LITTLE_ALIKE, HARDLY_ALIKE = 0.42, 0.2, 0.12
"""Correlations of looks from which on a newcomer is taken for a missing person: at once, at the latest, and soon, in
the same place. Somebody missing is likelier to come back than somebody new is to come while they are missing."""
ONE_PERSON = 0.5
"""Correlation of looks from which on two people who were never seen side by side are one."""


def candidates(newcomer: FollowedPerson, missing: Iterable[FollowedPerson]) -> list[FollowedPerson]:
    """Return the missing people with a number who may be a newcomer: near enough, and never seen beside them."""
    return [
        person
        for person in missing
        if person.number is not None and person not in newcomer.apart and is_within_reach(person, newcomer.face)
    ]


def recognised(newcomer: FollowedPerson, missing: Sequence[FollowedPerson]) -> FollowedPerson | None:
    """Return who of the missing people a newcomer is; None where that is nobody, or not known yet."""
    best = max(missing, key=lambda person: newcomer.looks.alike_to(person.looks), default=None)
    if best is None:
        return None
    alike = newcomer.looks.alike_to(best.looks)
    is_back = newcomer.images >= SOON and is_where(best, newcomer.face) and alike >= HARDLY_ALIKE
    return best if alike >= ALIKE or is_back or (newcomer.images >= LATEST and alike >= LITTLE_ALIKE) else None


def is_where(person: FollowedPerson, face: Face) -> bool:
    """Return whether a face is where a person's was seen last."""
    last = person.face.box
    is_there = last.holds_centre_of(face.box) or face.box.holds_centre_of(last)
    return is_there and resized(person, face) <= MOST_RESIZED


def is_double(person: FollowedPerson, here: Iterable[FollowedPerson]) -> bool:
    """Return whether a missing person is one of those who are here, with another number."""
    return any(
        person not in other.apart and other.looks.alike_to(person.looks) >= ONE_PERSON
        for other in here
        if other.number is not None
    )
