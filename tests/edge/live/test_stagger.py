"""Begins of a run's streams: a few together, spread evenly over a hop."""

import pytest

from edge.clock import SECOND_NS
from edge.live.stagger import GROUPS_A_HOP, LONGEST_HOP_NS, TOGETHER, delays_ns

HOP_NS = SECOND_NS // 2


@pytest.mark.parametrize("streams", [0, 1, TOGETHER])
def test_a_few_streams_begin_together(streams: int) -> None:
    assert delays_ns(streams, HOP_NS) == [0] * streams


@pytest.mark.parametrize("streams", [5, 12, 30, 32])
@pytest.mark.parametrize("hop_ns", [100_000_000, HOP_NS])
def test_more_are_due_a_few_at_a_time_with_equal_distances(streams: int, hop_ns: int) -> None:
    delays = delays_ns(streams, hop_ns)
    begins = sorted(set(delays))
    assert delays == sorted(delays)
    assert max(delays.count(begin) for begin in begins) <= TOGETHER
    phases = sorted(begin % hop_ns for begin in begins)
    steps = [after - before for before, after in zip(phases, [*phases[1:], hop_ns], strict=True)]
    assert max(steps) - min(steps) <= 1
    assert sum(steps) == hop_ns


def test_many_streams_begin_over_several_hops() -> None:
    delays = delays_ns(32, HOP_NS)
    assert max(delays[: TOGETHER * GROUPS_A_HOP]) < HOP_NS
    assert min(delays[TOGETHER * GROUPS_A_HOP :]) > HOP_NS
    assert max(delays) < 32 // (TOGETHER * GROUPS_A_HOP) * HOP_NS


def test_a_stream_waits_no_longer_where_hops_are_long() -> None:
    assert delays_ns(32, 10 * SECOND_NS) == delays_ns(32, LONGEST_HOP_NS)
