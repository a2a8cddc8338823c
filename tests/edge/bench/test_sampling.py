"""Order and number of the runs, and the reason that is given where the time is up."""

import time

import pytest

from edge.bench.energy import Energy
from edge.bench.sampling import WARM_UP_RUNS, Sampling, warm_up
from edge.bench.statistics import samples_needed


class Rising:
    """A meter that rises by a joule each time it is read."""

    about = "made"

    def __init__(self) -> None:
        self.reads = 0

    def read_j(self) -> float:
        self.reads += 1
        return float(self.reads)

    def close(self) -> None: ...


@pytest.fixture
def probes() -> list[None]:
    return []


def sampling(probes: list[None], seconds: float = 60, meters: tuple[Rising, ...] = ()) -> Sampling:
    return Sampling(seconds, Energy(meters), lambda: probes.append(None))


def test_each_runs_once_a_round_in_an_order_that_varies(probes: list[None]) -> None:
    order: list[str] = []
    runs = {name: lambda name=name: order.append(name) for name in "abc"}
    found = sampling(probes).interleaved(runs, 90)
    rounds = ["".join(order[at : at + 3]) for at in range(3 * WARM_UP_RUNS, len(order), 3)]
    assert len(rounds) == samples_needed(90)
    assert {"".join(sorted(each)) for each in rounds} == {"abc"}
    assert len(set(rounds)) > 3
    assert probes == [None]
    for each in found.values():
        assert (len(each.samples_ms), len(each.warm_up_ms), each.stop_reason) == (
            samples_needed(90),
            WARM_UP_RUNS,
            None,
        )
        assert (each.device_ms, each.energy_j) == ([], None)


def test_where_the_time_is_up_it_is_said_which_percentile_is_not_supported(probes: list[None]) -> None:
    found = sampling(probes, seconds=0.05).interleaved({"a": lambda: time.sleep(0.02)}, 99)["a"]
    assert 0 < len(found.samples_ms) < samples_needed(99)
    assert found.stop_reason == f"{len(found.samples_ms)} of the 368 samples that p99 needs in 0.05 s"


def test_the_devices_time_and_energy_are_kept(probes: list[None]) -> None:
    found = sampling(probes, meters=(Rising(),)).interleaved({"a": lambda: 3.5}, 50)["a"]
    assert found.device_ms == [3.5] * samples_needed(50)
    assert found.energy_j == samples_needed(50)


def test_cpu_time_is_counted_of_the_runs_alone(probes: list[None]) -> None:
    def work() -> None:
        ends_s = time.process_time() + 0.01
        while time.process_time() < ends_s:
            continue

    found = sampling(probes).interleaved({"works": work, "rests": lambda: None}, 50)
    assert found["works"].cpu_s >= 0.01 * samples_needed(50)
    assert found["rests"].cpu_s < found["works"].cpu_s / 2


def test_warming_up_ends_after_some_runs() -> None:
    assert len(warm_up(lambda: None)) == WARM_UP_RUNS
