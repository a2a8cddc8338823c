"""Tracking of several people in the images of one camera: each keeps a number from image to image."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from ..geometry import Box
from .face_association import pair
from .face_detector import Face, FaceDetector, different_faces
from .face_looks import look_of
from .followed_person import FORGOTTEN_AFTER, SOUGHT, FollowedPerson
from .image_search import ImageSearch, without
from .newcomers import GONE_AFTER, LATEST, candidates, is_double, recognised
from .pictures import Picture

MUCH_WIDER = 1.5
"""Factor by which a face must be wider than the smallest of those that are followed to be followed in its place."""

HIDING = 2
"""Images without somebody in which a face half hidden behind another one may be theirs."""
LOOKED_FOR = 25
"""Images without somebody in which the detector looks for them where they are expected: 5 s at 5 a second."""
HEAD = 0.2
"""Width by which a head reaches beyond its face, as a share of it."""


class TrackedFace(NamedTuple):
    """Face of a person who is followed."""

    person: int
    """Number of the person in this run: 1, 2, ... in the order in which they were found; never given again."""
    face: Face


class PeopleTracker:
    """Tracker of the faces of up to `most` people in the images of one camera, taken in their order.

    A person's face is found again by its picture, as `FaceTracker` does; where it looks different, the detector looks
    for it around the place where it is expected; where it is not there, the image is searched, in one way an image.
    Detected faces are associated with the people who are sought by place, size and looks (`pair`). So long as a person
    is not seen, for up to `FORGOTTEN_AFTER` images, their number is kept for them. Whoever is new is found as by
    `FaceTracker`. Where more faces are there than are followed, those who are followed stay, unless a much wider face
    comes.

    A number says nothing about who somebody is. How a face looks is kept while it is followed, as a few small grey
    pictures (`FaceLooks`), and forgotten with the person; nothing that could recognise somebody is stored or published.
    A poster, a mirror image and a face on a television are faces like any other.
    """

    def __init__(self, detector: FaceDetector, most: int) -> None:
        self._detector, self._most = detector, most
        self._search = ImageSearch(detector)
        self._people: list[FollowedPerson] = []
        self._next = 1

    @property
    def faces(self) -> int:
        """Number of faces when each part of the image was searched last, of those who are followed and of others."""
        return len(self._search.others) + len(seen(self._people))

    def __call__(self, image: Picture) -> list[TrackedFace]:
        """Return the faces of the people who are seen in an image, by their numbers."""
        self._search.begin()
        for person in self._people:
            person.begin()
        if self._search.is_due and self._people:
            found = self._search.search(image, self._detector.glance)
            self._associate(image, found)
        else:
            found = []
            self._find_by_picture(image)
        has_changed = bool(missing(self._people))  # a face looks different: somebody new may be before it
        self._look_around(image, 0.0)
        if not found and (not seen(self._people) or any(0 < person.lost <= SOUGHT for person in self._people)):
            found = self._seek(image)
        for step_deg in self._detector.turn_steps_deg:
            self._look_around(image, step_deg)
        is_look_due, is_further_due = self._search.is_look_due, self._search.is_further_due
        if not found and is_further_due and not is_look_due and len(self._people) < self._most:
            found = self._search.find_further(image, *faces_of(seen(self._people)))
            self._associate(image, found)
        elif is_look_due or (has_changed and not found):
            found = self._search.find_new(image, *faces_of(seen(self._people)))
            self._associate(image, found)
        self._meet(image, found)
        self._name()
        self._forget()
        self._search.others = without(faces_of(seen(self._people)), self._search.others)
        return [TrackedFace(person.number, person.face) for person in seen(self._people) if person.number is not None]

    def _find_by_picture(self, image: Picture) -> None:
        """See the people who look as they did; of two who would be one face, the one who is more like it."""
        for person in self._people:
            face = person.find(image)
            if face is None:
                continue
            rival = next((other for other in seen(self._people) if is_one_face(other.face, face)), None)
            if rival:
                look = look_of(image, face)
                if rival.looks.alike(look) >= person.looks.alike(look):
                    continue
                rival.miss()
            person.see(face)

    def _look_around(self, image: Picture, further_deg: float) -> None:
        """Detect the faces of people who are not seen, around the places where they are expected."""
        for_them = (
            self._detector.follow(image, person.expected, person.face.turn_deg + further_deg)
            for person in missing(self._people)
            if person.lost <= LOOKED_FOR
        )
        self._associate(image, different_faces(face for faces in for_them for face in faces))

    def _seek(self, image: Picture) -> list[Face]:
        """Return the faces that the search whose turn it is finds in an image in which somebody is not seen."""
        if any(person.lost == 1 for person in self._people):
            self._search.start_over()
        found = self._search.seek(image)
        self._associate(image, found)
        return found

    def _associate(self, image: Picture, faces: Sequence[Face]) -> None:
        """See the missing people whose faces are among those detected; faces of people who are seen are not theirs."""
        for is_hidden in (False, True):
            part = [face for face in self._unclaimed(faces) if self._is_half_hidden(face) == is_hidden]
            sought = [person for person in missing(self._people) if not is_hidden or person.lost <= HIDING]
            for person, found in pair(sought, image, part):
                person.detect(image, found.face, found.look, is_clear=not is_hidden)

    def _meet(self, image: Picture, faces: Iterable[Face]) -> None:
        """Follow those who are new, the largest first, while there is room, or in the place of a much smaller one."""
        for face in different_faces(faces):
            if not self._unclaimed([face]):
                continue
            if len(self._people) >= self._most and not self._make_room(face):
                return
            self._people.append(FollowedPerson(image, face))

    def _name(self) -> None:
        """Give each newcomer a number: that of somebody who was missing, or a new one where they are nobody's."""
        for newcomer in [person for person in seen(self._people) if person.number is None]:
            may_be = candidates(newcomer, missing(self._people))
            known = recognised(newcomer, may_be)
            if known:
                known.resume(newcomer)
                self._people.remove(newcomer)
            elif newcomer.images >= LATEST or not (may_be or self._may_be_hidden(newcomer.face)):
                newcomer.number = self._next
                self._next += 1

    def _forget(self) -> None:
        """Forget who was not seen for long, or is here with another number."""
        here = seen(self._people)
        for person, other in combinations(here, 2):
            person.part(other)
        self._people = [
            person
            for person in self._people
            if person.lost == 0
            or (person.number is None and person.lost <= GONE_AFTER)
            or (person.number is not None and person.lost < FORGOTTEN_AFTER and not is_double(person, here))
        ]
        for person in self._people:
            person.apart.intersection_update(self._people)

    def _make_room(self, face: Face) -> bool:
        """Forget one person for a face that is new, and return whether there was one to forget."""
        gone = max(self._people, key=lambda person: (person.lost > SOUGHT) * person.lost)
        smallest = max(seen(self._people), key=lambda person: person.face.rank(), default=None)
        if gone.lost > SOUGHT:
            self._people.remove(gone)
        elif smallest and face.box.width >= MUCH_WIDER * smallest.face.box.width:
            self._people.remove(smallest)
            self._search.others.append(smallest.face)
        return len(self._people) < self._most

    def _may_be_hidden(self, face: Face) -> bool:
        """Return whether a face may be that of a missing person who comes out from behind another one."""
        return bool(missing(self._people)) and self._is_half_hidden(face)

    def _is_half_hidden(self, face: Face) -> bool:
        """Return whether a face lies beside a larger one, whose head may hide a part of it."""
        return any(
            touches(other.box, face.box, round(HEAD * other.box.width)) and other.box.width > face.box.width
            for other in faces_of(seen(self._people))
        )

    def _unclaimed(self, faces: Iterable[Face]) -> list[Face]:
        """Return the faces that are not those of people who are seen."""
        known = faces_of(seen(self._people))
        return [face for face in faces if not any(is_one_face(face, other) for other in known)]


def seen(people: Iterable[FollowedPerson]) -> list[FollowedPerson]:
    """Return the people whose faces are seen in the image that is looked at."""
    return [person for person in people if person.lost == 0]


def missing(people: Iterable[FollowedPerson]) -> list[FollowedPerson]:
    """Return the people whose faces are not seen in it."""
    return [person for person in people if person.lost > 0]


def faces_of(people: Iterable[FollowedPerson]) -> list[Face]:
    """Return the faces of people where they were seen last."""
    return [person.face for person in people]


def touches(one: Box, other: Box, margin: int) -> bool:
    """Return whether a box with a margin around it and another one overlap."""
    return (
        one.x - margin < other.x + other.width
        and other.x < one.x + one.width + margin
        and one.y - margin < other.y + other.height
        and other.y < one.y + one.height + margin
    )


def is_one_face(one: Face, other: Face) -> bool:
    """Return whether two boxes are of one face: the centre of one lies in the other."""
    return one.box.holds_centre_of(other.box) or other.box.holds_centre_of(one.box)
