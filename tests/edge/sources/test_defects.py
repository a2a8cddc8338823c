"""Remarks: their words, and how often they are said."""

import logging
from collections import Counter

from edge.sources.defects import Defects


def test_each_kind_is_said_once_with_its_time(caplog) -> None:
    remarks = Defects("a.mp4")
    with caplog.at_level(logging.WARNING):
        remarks.say("torn", 1_234_000_000, "ends early")
        remarks.say("torn", 2_000_000_000, "ends early")
        remarks.say("gap", None, "has a gap")
    assert caplog.messages == ["a.mp4 at 1.23 s: ends early", "a.mp4: has a gap"]


def test_counts_go_where_they_are_asked_for() -> None:
    dropped = Counter({"packets_damaged": 1})
    Defects("a.mp4", dropped).count("packets_damaged", 2)
    assert dropped == {"packets_damaged": 3}
    assert Defects("a.mp4").dropped == {}
