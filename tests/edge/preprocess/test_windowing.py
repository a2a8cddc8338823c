"""The two grids, against plain counting."""

import numpy as np
import pytest

from edge.preprocess.windowing import FrameGrid, HopGrid

MS = 1_000_000


@pytest.mark.parametrize(
    ("camera_fps", "rate_hz", "expected"), [(30, 5.0, 5), (25, 5.0, 5), (10, 5.0, 5), (5, 5.0, 5), (3, 5.0, 3)]
)
def test_a_second_of_camera_gives_the_rate_or_all_there_is(camera_fps: int, rate_hz: float, expected: int) -> None:
    grid = FrameGrid(rate_hz)
    times = [i * 1_000_000_000 // camera_fps for i in range(camera_fps * 60)]
    assert sum(grid.wants(time) for time in times) == 60 * expected


def test_of_each_slot_the_first_frame_is_used() -> None:
    times = np.sort(np.random.default_rng(3).integers(0, 20_000 * MS, 700))
    grid = FrameGrid(5.0)
    used = [int(time) for time in times if grid.wants(int(time))]
    assert used == [int(times[times // (200 * MS) == slot][0]) for slot in np.unique(times // (200 * MS))]


def test_slots_begin_where_they_are_said_to() -> None:
    grid = FrameGrid(5.0, begin_ns=30 * MS)
    assert [time for time in range(30 * MS, 800 * MS, 10 * MS) if grid.wants(time)] == [
        slot * MS for slot in (30, 230, 430, 630)
    ]


@pytest.mark.parametrize("time_ns", [0, 199 * MS, 10**18])
def test_the_first_frame_is_always_used(time_ns: int) -> None:
    assert FrameGrid(5.0).wants(time_ns)
    assert FrameGrid(5.0, begin_ns=200 * MS).wants(time_ns)


def test_windows_end_at_whole_hops_after_the_beginning_for_days() -> None:
    grid = HopGrid(begin_ns=7, hop_ns=333_333_333)
    for k in range(1, 1000):
        assert grid.next_ns == 7 + k * 333_333_333
        grid.advance()


def test_another_hop_counts_from_the_last_window() -> None:
    grid = HopGrid(begin_ns=0, hop_ns=500 * MS)
    grid.advance()
    assert grid.change(800 * MS, 700 * MS) == 0
    assert grid.next_ns == 1300 * MS
    grid.advance()
    assert grid.next_ns == 2100 * MS


def test_a_shorter_hop_makes_no_windows_of_the_past() -> None:
    grid = HopGrid(begin_ns=0, hop_ns=4000 * MS)
    assert grid.change(500 * MS, 3900 * MS) == 0
    assert grid.next_ns == 3500 * MS
    grid.advance()
    assert grid.next_ns == 4000 * MS


@pytest.mark.parametrize(
    ("now_ms", "skipped", "next_ms"), [(700, 0, 500), (800, 0, 500), (1600, 1, 1500), (3000, 3, 3000)]
)
def test_of_windows_that_have_ended_when_the_hop_gets_shorter_those_skipped_are_told(
    now_ms: int, skipped: int, next_ms: int
) -> None:
    grid = HopGrid(begin_ns=0, hop_ns=750 * MS)
    assert grid.change(500 * MS, now_ms * MS) == skipped
    assert grid.next_ns == next_ms * MS


@pytest.mark.parametrize(("time_ms", "next_ms"), [(-100, 1000), (900, 1000), (1000, 1500), (31_234, 31_500)])
def test_windows_that_would_have_ended_by_a_time_are_left_out(time_ms: int, next_ms: int) -> None:
    grid = HopGrid(begin_ns=0, hop_ns=500 * MS)
    grid.advance()
    grid.skip_to(time_ms * MS)
    assert grid.next_ns == next_ms * MS
