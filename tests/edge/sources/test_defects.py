"""Reports of defects: their text, how often they come, and the counts."""

import logging
from collections import Counter

from edge.sources.defects import Defects


def test_each_kind_is_reported_once_with_its_time(caplog) -> None:
    defects = Defects("a.mp4")
    with caplog.at_level(logging.WARNING):
        defects.report("torn", 1_234_000_000, "ends early")
        defects.report("torn", 2_000_000_000, "ends early")
        defects.report("gap", None, "has a gap")
    assert caplog.messages == ["a.mp4 at 1.23 s: ends early", "a.mp4: has a gap"]


def test_counts_go_to_the_given_counter() -> None:
    dropped = Counter({"packets_damaged": 1})
    Defects("a.mp4", dropped).count("packets_damaged", 2)
    assert dropped == {"packets_damaged": 3}
    assert Defects("a.mp4").dropped == {}
