"""The main person changes for a reason that lasts: a voice for a second, a larger face for two."""

import numpy as np
import pytest

from edge.geometry import Box
from edge.live.active_speaker import UNCLEAR
from edge.live.main_person import MainPerson
from edge.live.speaker_turns import NOBODY
from edge.live.window import Window
from edge.preprocess.framing import FramingResult

HOP_NS = 500_000_000
EMPTY = np.zeros(0, np.float32)


def windows(hop: int, sides: dict[int, int], speaker: int = NOBODY) -> list[Window]:
    """Windows of people whose faces have sides of so many pixels, at a hop."""
    return [
        Window(
            EMPTY,
            EMPTY.reshape(0, 3),
            None,
            0,
            hop * HOP_NS,
            "ok",
            "ok",
            FramingResult(None, len(sides), Box(0, 0, side, side)),
            0.0,
            person=person,
            speaker=speaker,
        )
        for person, side in sides.items()
    ]


def chosen(*hops: tuple[dict[int, int], int]) -> list[int | None]:
    """Main person at each hop."""
    main = MainPerson()
    return [main.choose(windows(hop, *each)).person for hop, each in enumerate(hops)]


def test_at_first_it_is_who_speaks_else_the_largest() -> None:
    assert chosen(({1: 50, 2: 90}, NOBODY)) == [2]
    assert chosen(({1: 50, 2: 90}, UNCLEAR)) == [2]
    assert chosen(({1: 50, 2: 90}, 1)) == [1]


def test_another_who_speaks_for_a_second_becomes_the_main_person() -> None:
    two = {1: 80, 2: 60}
    assert chosen((two, 1), (two, 2), (two, 2), (two, 2), (two, 2)) == [1, 1, 1, 2, 2]


def test_a_word_in_between_changes_nothing() -> None:
    two = {1: 80, 2: 60}
    assert chosen((two, 1), (two, 2), (two, 1), (two, 2), (two, NOBODY), (two, 2)) == [1] * 6


def test_who_has_spoken_stays_while_nobody_does() -> None:
    two = {1: 80, 2: 75}
    assert chosen((two, 2), *[(two, NOBODY)] * 20) == [2] * 21


def test_a_face_half_as_large_again_takes_over_after_two_seconds() -> None:
    before, after = {1: 80, 2: 70}, {1: 80, 2: 100}
    assert chosen((before, NOBODY), *[(after, NOBODY)] * 6) == [1, 1, 1, 1, 1, 2, 2]
    little = {1: 80, 2: 97}
    assert chosen((before, NOBODY), *[(little, NOBODY)] * 10) == [1] * 11


def test_another_takes_over_at_once_where_the_main_person_left() -> None:
    assert chosen(({1: 80, 2: 60, 3: 70}, 1), ({2: 60, 3: 70}, NOBODY), ({2: 60, 3: 70}, NOBODY)) == [1, 3, 3]


@pytest.mark.parametrize("hops", [1, 3])
def test_a_stream_of_one_window_has_that(hops: int) -> None:
    main = MainPerson()
    only = Window(EMPTY, EMPTY.reshape(0, 3), None, 0, 0, "ok", "ok", None, 0.0)
    assert all(main.choose([only]) is only for _ in range(hops))
    assert main.person is None
