"""Segments of one steady label."""

from edge.annotation.segments import segments
from tests.edge.annotation.made_rows import steady


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


def test_a_label_is_one_line() -> None:
    assert segments(steady("zwei\nZeilen"))[0].label == "zwei\\u000aZeilen"
