"""The hop on simulated machines: work that queues on one thread, looked at once a second."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from edge.clock import SECOND_NS
from edge.live.hop_control import CALM_NS, MOST_NS, HopControl

HALF_NS = SECOND_NS // 2
FRAMES_PER_S = 5
MOST_FRAMES = 8
LATE_NS = SECOND_NS // 10
TICK_NS = SECOND_NS // 100

Load = Callable[[float], tuple[float, float]]
"""Seconds since the start -> share of the time that the frames take, and seconds that a window takes."""


@dataclass
class Machine:
    """One thread: frames first, then the newest window that is due; what it cannot keep up with is dropped."""

    load: Load
    pace: HopControl
    late: int = 0
    hops_s: list[float] = field(default_factory=list)
    """A second each."""
    changes: int = 0

    def run(self, seconds: int) -> "Machine":
        """Live through some seconds."""
        for second, busy in enumerate(self._seconds(seconds), start=1):
            self.changes += self.pace.update(second * SECOND_NS, busy, self.late)
            self.hops_s.append(self.pace.hop_ns / SECOND_NS)
        return self

    def _seconds(self, seconds: int) -> Iterator[float]:
        """The share of each second that was worked."""
        now_ns, backlog_ns, worked_ns, frames_due, next_ns = 0, 0.0, 0.0, 0, self.pace.hop_ns
        for _ in range(seconds * SECOND_NS // TICK_NS):
            now_ns += TICK_NS
            share, window_s = self.load(now_ns / SECOND_NS)
            frame_ns = share / FRAMES_PER_S * SECOND_NS
            if now_ns * FRAMES_PER_S // SECOND_NS > frames_due:
                frames_due += 1
                if frame_ns and backlog_ns > MOST_FRAMES * frame_ns + window_s * SECOND_NS:
                    self.late += 1
                else:
                    backlog_ns += frame_ns
            if now_ns >= next_ns:
                if backlog_ns > LATE_NS + frame_ns + window_s * SECOND_NS / 2:
                    self.late += 1
                else:
                    backlog_ns += window_s * SECOND_NS
                next_ns += self.pace.hop_ns
            done_ns = min(backlog_ns, TICK_NS)
            backlog_ns -= done_ns
            worked_ns += done_ns
            if now_ns % SECOND_NS == 0:
                yield worked_ns / SECOND_NS
                worked_ns = 0.0


def steady(share: float, window_s: float) -> Load:
    return lambda _now_s: (share, window_s)


def live(load: Load, seconds: int, wanted_ns: int = HALF_NS) -> Machine:
    return Machine(load, HopControl(wanted_ns, adapt=True)).run(seconds)


@pytest.mark.parametrize(("share", "window_s"), [(0.0, 0.05), (0.3, 0.2), (0.5, 0.1), (0.0, 0.38), (0.7, 0.05)])
def test_a_machine_that_keeps_up_is_left_alone(share: float, window_s: float) -> None:
    machine = live(steady(share, window_s), 600)
    assert (machine.changes, machine.hops_s[-1]) == (0, 0.5)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4, 0.6])
@pytest.mark.parametrize("window_s", [0.55, 0.7, 1.0, 1.4])
def test_a_machine_that_does_not_is_given_a_hop_that_it_sustains(share: float, window_s: float) -> None:
    """Within half a minute; after that nothing changes and nothing more is dropped in ten minutes."""
    machine = live(steady(share, window_s), 600)
    hop_s = machine.hops_s[-1]
    assert share + window_s / hop_s <= 0.95
    assert hop_s <= 1.5 * 1.5 * window_s / (0.9 - share)
    assert set(machine.hops_s[60:]) == {hop_s}
    assert machine.changes <= 7
    late = live(steady(share, window_s), 60).late
    assert machine.late == late


@pytest.mark.parametrize("window_s", [0.1 * i for i in range(1, 40)])
def test_it_never_oscillates(window_s: float) -> None:
    machine = live(steady(0.15, window_s), 600)
    assert machine.changes <= 8
    assert all(0.5 <= hop_s <= 4 for hop_s in machine.hops_s)
    assert len(set(machine.hops_s[120:])) == 1


@pytest.mark.parametrize(("share", "window_s"), [(0.07, 0.86), (0.3, 0.4), (0.5, 0.25), (0.1, 2.0)])
def test_a_load_that_wavers_makes_few_changes(share: float, window_s: float) -> None:
    """By up to 30 % from second to second."""
    random_ = random.Random(3)
    wavering = [random_.uniform(0.7, 1.3) for _ in range(601)]
    machine = live(lambda now_s: (share * wavering[int(now_s)], window_s * wavering[int(now_s)]), 600)
    assert machine.changes <= 12
    assert all(0.5 <= hop_s <= 4 for hop_s in machine.hops_s)


def test_a_shortening_that_does_not_last_makes_the_next_wait_longer() -> None:
    """Whatever is shorter than 0.75 s drops, though the share of time says that there is room."""
    pace, late, changed_s = HopControl(HALF_NS, adapt=True), 0, []
    for second in range(400):
        if pace.update(second * SECOND_NS, 0.4, late):
            changed_s.append(second)
        late += pace.hop_ns < 3 * HALF_NS // 2
    assert changed_s == [2, 12, 14, 54, 56, 216, 218, 378, 380]


def test_it_stretches_quickly() -> None:
    hops_s = live(steady(0.0, 1.0), 30).hops_s
    assert hops_s[2] >= 0.75
    assert hops_s[9] >= 1.1


def test_it_comes_back_slowly_where_the_load_falls() -> None:
    machine = live(lambda now_s: (0.1, 1.5 if now_s < 60 else 0.05), 240)
    stretched = machine.hops_s[59]
    calm_s = CALM_NS // SECOND_NS
    assert stretched > 1.5
    assert machine.hops_s[60 + calm_s - 2] == stretched
    assert machine.hops_s[-1] == 0.5
    assert machine.hops_s.index(0.5, 60) < 120


def test_it_comes_back_only_as_far_as_the_load_allows() -> None:
    machine = live(lambda now_s: (0.1, 1.5 if now_s < 60 else 0.5), 300)
    assert 0.5 / 0.8 < machine.hops_s[-1] < machine.hops_s[59]
    assert 0.1 + 0.5 / machine.hops_s[-1] < 0.9
    assert len(set(machine.hops_s[200:])) == 1


def test_a_load_beyond_all_hops_stays_within_bounds() -> None:
    machine = live(steady(1.5, 3.0), 300)
    assert machine.hops_s[-1] == MOST_NS / SECOND_NS
    assert max(machine.hops_s) == machine.hops_s[-1]
    assert machine.hops_s == sorted(machine.hops_s)


def test_a_hop_wanted_longer_than_the_most_is_kept() -> None:
    machine = live(steady(0.5, 10.0), 300, wanted_ns=6 * SECOND_NS)
    assert set(machine.hops_s) == {6.0}


def test_what_warming_up_drops_is_forgiven() -> None:
    pace = HopControl(HALF_NS, adapt=True)
    late = [7, *(7 for _ in range(60))]
    assert not any(pace.update(second * SECOND_NS, 0.4, count) for second, count in enumerate(late, start=1))
    assert pace.hop_ns == HALF_NS


def test_a_drop_at_full_load_stretches_at_once_and_once() -> None:
    pace = HopControl(HALF_NS, adapt=True)
    changed = [pace.update(second * SECOND_NS, 0.95, late) for second, late in enumerate([0, 0, 3, 3])]
    assert changed == [False, False, True, False]
    assert pace.hop_ns == 3 * HALF_NS // 2


def test_a_hiccup_now_and_then_is_no_overload() -> None:
    pace = HopControl(HALF_NS, adapt=True)
    assert not any(pace.update(second * SECOND_NS, 0.5, second // 25) for second in range(600))


def test_a_second_drop_soon_after_is_one() -> None:
    pace = HopControl(HALF_NS, adapt=True)
    changed = [pace.update(second * SECOND_NS, 0.5, late) for second, late in enumerate([0, 0, 1, 1, 1, 2, 2])]
    assert changed == [False, False, False, False, False, True, False]


def test_after_what_was_no_lasting_load_it_comes_back() -> None:
    pace = HopControl(HALF_NS, adapt=True)
    changed = [pace.update(second * SECOND_NS, 1.0 if second == 5 else 0.3, int(second >= 5)) for second in range(60)]
    assert [second for second in range(60) if changed[second]] == [5, 15]
    assert pace.hop_ns == HALF_NS


def test_a_fixed_hop_never_changes() -> None:
    pace = HopControl(HALF_NS, adapt=False)
    assert not any(pace.update(second * SECOND_NS, 1.0, 10 * second) for second in range(600))
    assert pace.hop_ns == HALF_NS
