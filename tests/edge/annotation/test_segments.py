"""Segments of one steady label."""

from edge.annotation.segments import segments, segments_by_person
from tests.edge.annotation.made_rows import person_rows, steady


def test_a_segment_lasts_from_the_window_of_its_change_to_that_of_the_next() -> None:
    assert segments(steady("calm", "calm", "glad", "glad", "calm", "calm")) == [
        (0, 1500, "calm"),
        (1500, 2500, "glad"),
        (2500, 3000, "calm"),
    ]


def test_no_segment_is_empty() -> None:
    """A change in the last window has no time left, and two within a millisecond have none between them."""
    assert segments(steady("calm", "glad")) == [(0, 1000, "calm")]
    assert segments(steady("calm", "glad", "calm", "calm", hop_s=0.0004)) == [(0, 1, "calm"), (1, 2, "calm")]
    assert segments([]) == []


def test_each_person_has_segments_that_end_while_the_person_is_away() -> None:
    rows = [*person_rows(1, 2, 3, 4, 5, 6, 7, label="calm"), *person_rows(2, 3, 4, 7)]
    assert segments_by_person(rows) == {
        1: [(0, 3500, "calm")],
        2: [(500, 2000, "glad"), (2500, 3500, "glad")],
    }


def test_windows_that_nobody_has_part_nothing_and_segments_of_a_person_do_not_overlap() -> None:
    assert segments_by_person(person_rows(1, 2, 9)) == {1: [(0, 4500, "glad")]}
    again = [*person_rows(1, 2, 3, 4), *person_rows(2, 2, 4)]
    assert segments_by_person(again)[2] == [(0, 1000, "glad"), (1000, 2000, "glad")]


def test_without_people_they_are_those_of_all_rows() -> None:
    rows = steady("calm", "calm", "glad", "glad")
    assert segments_by_person(rows) == {None: segments(rows)}


def test_a_label_is_one_line() -> None:
    assert segments(steady("zwei\nZeilen"))[0].label == "zwei\\u000aZeilen"
