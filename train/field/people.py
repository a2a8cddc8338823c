"""Section `people`: whether each of several people keeps their number, is found, and nobody is made up."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from edge.preprocess.detector_choice import DetectorName
from edge.preprocess.detectors import open_detector
from edge.preprocess.people_tracker import PeopleTracker, TrackedFace

from ..intervals import Interval, draw_counts
from .draws import generator
from .people_casts import CONDITIONS, Compose
from .people_films import IMAGES_HZ, Actor, Film, Visible, shown
from .recordings import PHOTOGRAPHED_FACE, Face, Recordings
from .rows import OwnFigures, Row, Trial, overlap

SECTION = "people"
USUAL_FILMS = 10
"""Films of each condition where as many recordings as usual are asked for."""
MOST_FOLLOWED = 8
LEAST_OVERLAP = 0.2
"""Smallest overlap of a tracked face with the true one: the detectors' boxes are half as wide again as those here."""
LEAST_VISIBLE = 0.8
"""Visible share of a face from which on it is to be found."""
MOST_HIDDEN = 2 * IMAGES_HZ
"""Images in a row in which a face was not to be found, after which another number is no switch: 2 s."""
RESAMPLES = 2000


class Seen(NamedTuple):
    """Faces in one image: those that are there, and those that the tracker says."""

    there: Sequence[Visible]
    tracked: Sequence[TrackedFace]


class Tally(NamedTuple):
    """Counts over one film."""

    images: int
    switched: int
    """Times that a person had another number than before."""
    to_find: int
    """Faces that were to be found."""
    found: int
    false: int
    """Numbers given to nobody: at most half of the images in which they are seen have a face there."""


def plan(recordings: Recordings, detector: DetectorName, films: int, seed: int) -> Iterator[Trial]:
    """Yield a trial for each condition that there are photographs for."""
    for name, (people, compose) in CONDITIONS.items():
        if len(recordings.photographs) >= people:
            run_one = partial(run, recordings.photographs, people, compose, detector, films, seed, name)
            yield Trial(SECTION, name, run_one)


def run(
    photographs: Sequence[Face],
    people: int,
    compose: Compose,
    detector: DetectorName,
    films: int,
    seed: int,
    name: str,
) -> list[Row]:
    """Return the row of films of one condition, each of other people."""
    tallies = []
    for number in range(films):
        rng = generator(seed, SECTION, name, str(number))
        chosen = rng.choice(len(photographs), people, replace=False)
        actors = [Actor([photographs[i].image], PHOTOGRAPHED_FACE, int(rng.integers(40, 200))) for i in chosen]
        tallies.append(tally(watch(compose(rng, actors), rng, detector)))
    return [Row(SECTION, name, None, {}, {}, own=measure(tallies))]


def watch(film: Film, rng: np.random.Generator, detector: DetectorName) -> Iterator[Seen]:
    """Yield what is in each image of a film, and what the runtime's tracker makes of it."""
    track = PeopleTracker(open_detector(detector), MOST_FOLLOWED)
    for image, there in shown(film, rng):
        yield Seen(there, track(image))


def tally(images: Iterable[Seen]) -> Tally:
    """Count what became of the people of a film."""
    numbers: dict[int, int] = {}
    hidden = Counter[int]()
    count = switched = to_find = found = 0
    seen, true = Counter[int](), Counter[int]()
    for there, tracked in images:
        count += 1
        pairs = matched(there, tracked)
        for part, person in pairs.items():
            switched += numbers.setdefault(part, person) != person
            numbers[part] = person
        for face in there:
            hidden[face.part] = hidden[face.part] + 1 if face.share < LEAST_VISIBLE else 0
            if hidden[face.part] > MOST_HIDDEN:
                numbers.pop(face.part, None)
        wanted = [face.part for face in there if face.share >= LEAST_VISIBLE and face.is_frontal]
        to_find += len(wanted)
        found += sum(part in pairs for part in wanted)
        seen.update(each.person for each in tracked)
        true.update(pairs.values())
    false = sum(2 * true[person] <= times for person, times in seen.items())
    return Tally(count, switched, to_find, found, false)


def matched(there: Sequence[Visible], tracked: Sequence[TrackedFace]) -> dict[int, int]:
    """Return the number of the person that is found at each part of a film, those that overlap most first."""
    overlaps = sorted(
        ((overlap(face.box, each.face.box), -face.part, -each.person) for face in there for each in tracked),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    for share, part, person in overlaps:
        if share >= LEAST_OVERLAP and -part not in pairs and -person not in pairs.values():
            pairs[-part] = -person
    return pairs


def measure(films: Sequence[Tally]) -> OwnFigures:
    """Return the figures of films, with intervals from the bootstrap over them."""
    images_a_minute = 60 * IMAGES_HZ
    columns = {
        "switched a minute": ratio(films, "switched", "images", images_a_minute),
        "found %": ratio(films, "found", "to_find", 100),
        "false people a minute": ratio(films, "false", "images", images_a_minute),
    }
    return OwnFigures(len(films), columns)


def ratio(films: Sequence[Tally], counted: str, of: str, times: float) -> Interval:
    """Return how many of one count there are for each of another one, times a number."""
    counts = np.array([(getattr(film, counted), getattr(film, of)) for film in films], np.float64)
    drawn = draw_counts(np.random.default_rng(0), RESAMPLES, len(counts)).astype(np.float64) @ counts
    low, high = np.quantile(times * drawn[:, 0] / drawn[:, 1].clip(1), [0.025, 0.975])
    total, whole = counts.sum(axis=0)
    return Interval(float(times * total / max(1, whole)), float(low), float(high))
