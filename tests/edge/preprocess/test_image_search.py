"""Searches of one camera's images: which is due, and what counts as others."""

import numpy as np

from edge.geometry import Box
from edge.preprocess.face_cascade import CascadeDetector
from edge.preprocess.face_detector import Face, Way
from edge.preprocess.image_search import LOOK_EVERY, SEARCH_EVERY, ImageSearch, without

EMPTY = np.full((120, 160, 3), 90, np.uint8)


class Watched(CascadeDetector):
    """The cascade, with a list of the ways that were taken."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Way] = []

    def search(self, image: np.ndarray, way: Way, part: Box, shrink: float) -> list[Face]:
        self.taken.append(way)
        return []


def test_the_first_image_is_searched_in_all_ways_then_each_in_one_and_over_again() -> None:
    detector = Watched()
    search = ImageSearch(detector)
    assert search.seek(EMPTY) == []
    ways = list(detector.ways)
    assert detector.taken == list(dict.fromkeys(ways))
    detector.taken.clear()
    for _ in ways:
        search.seek(EMPTY)
    assert detector.taken == [*ways[1:], ways[0]]
    search.start_over()
    search.seek(EMPTY)
    assert detector.taken[-1] == ways[0]


def test_looks_and_searches_are_due_every_so_many_images() -> None:
    search = ImageSearch(Watched())
    looks, due = [], []
    for number in range(1, SEARCH_EVERY + 1):
        search.begin()
        looks += [number] * search.is_look_due
        due += [number] * search.is_due
    assert looks == list(range(LOOK_EVERY, SEARCH_EVERY + 1, LOOK_EVERY))
    assert due == [SEARCH_EVERY]


def test_what_is_small_or_leaning_is_searched_for_in_the_first_images_then_seldom() -> None:
    detector = Watched()
    search = ImageSearch(detector)
    ways = [way for way in dict.fromkeys(detector.ways) if not way.is_upright_and_whole]
    taken_in = []
    for number in range(1, SEARCH_EVERY + 1):
        search.begin()
        if search.is_further_due:
            search.find_further(EMPTY)
            taken_in.append(number)
    assert detector.taken == [*ways, ways[0]]
    assert taken_in == [*range(1, len(ways) + 1), SEARCH_EVERY // 2]


def test_faces_near_a_known_one_are_left_out() -> None:
    known, near, beside = Face(Box(0, 0, 40, 40)), Face(Box(4, 4, 40, 40)), Face(Box(60, 0, 40, 40))
    assert without([known], [near, beside]) == [beside]
    assert without([], [near, beside]) == [near, beside]
