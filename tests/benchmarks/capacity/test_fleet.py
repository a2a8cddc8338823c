"""Cameras are spread over nodes alike, and what came of it, or of real streams, is written."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks.capacity import fleet
from benchmarks.capacity.cost import CostModel
from benchmarks.capacity.node import WARM_UP_S, NodeSpec
from tests.edge.made_messages import PREDICTION, STATS

BASE = NodeSpec(1, 10.0, 500_000_000, fleet.FIELD, seed=1)


def test_a_fleet_is_simulated_and_told(cost: CostModel) -> None:
    told: list[int] = []
    found = fleet.simulate(cost, 7, 6, BASE, told.append)
    assert told == list(range(6))
    assert [spec.streams for spec in found.specs] == [2, *[1] * 5]
    assert [spec.speed for spec in found.specs] == [fleet.SLOW_SPEED, *[1.0] * 5]
    lines = fleet.fleet_table(found).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 5 at 1", "| 1 at 0.6"]


def test_the_table_of_one_node_has_a_row_a_number_of_streams(cost: CostModel) -> None:
    lines = fleet.capacity_table(cost, [1, 4], BASE).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 1", "| 4"]
    assert all(line.split(" | ")[4] == "0.0" for line in lines[2:])


class MadeProgram:
    """A foal-edge that sends what is waiting, and stays."""

    waiting: list[Any]

    def __init__(self, arguments: list[str]) -> None:
        self.arguments, self.messages = arguments, self
        type(self).started = self

    def __enter__(self) -> "MadeProgram":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def receive(self, _timeout_s: float) -> Any:
        return self.waiting.pop(0)

    def has_ended(self) -> bool:
        return not self.waiting


def published(at_s: float, total_ms: float) -> Any:
    latency = replace(PREDICTION.latency_ms, total=total_ms)
    return replace(PREDICTION, mono_publish=10**12 + round(at_s * 1e9), latency_ms=latency)


def test_of_real_streams_the_windows_after_the_warm_up_count_until_the_time_is_over(monkeypatch) -> None:
    MadeProgram.waiting = [
        *(published(0.0, 1.0), published(WARM_UP_S, 2.0), published(WARM_UP_S + 0.5, 3.0)),
        replace(STATS, dropped={"windows_late": 2, "windows_empty": 0}),
        *(published(WARM_UP_S + 2.0, 4.0), published(WARM_UP_S + 2.5, 5.0), published(WARM_UP_S + 3.0, 6.0)),
    ]
    monkeypatch.setattr(fleet, "Program", MadeProgram)
    assert fleet.run_really(Path("talk.mp4"), 2, WARM_UP_S + 2.0) == ([3.0, 4.0], {"windows_late": 2})
    assert MadeProgram.started.arguments == [
        *("--backend", "onnxruntime"),
        *("--stream", "name=s0,file=talk.mp4,loop=true", "--stream", "name=s1,file=talk.mp4,loop=true"),
    ]
    assert len(MadeProgram.waiting) == 1, "it ends with the first window that is too late"


def test_real_streams_stand_above_the_same_ones_simulated(cost: CostModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "run_really", lambda _film, streams, _s: ([10.0 * streams] * 3, {"windows_late": 4}))
    lines = fleet.check(cost, Path("talk.mp4"), [1, 2], 10.0).splitlines()
    assert lines[2] == "| 1 | real | 10 | 10 | 10 | 3 | 4 |"
    assert lines[4] == "| 2 | real | 20 | 20 | 20 | 3 | 4 |"
    simulated = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[3::2]]
    assert [row[:2] + row[5:] for row in simulated] == [["1", "simulated", "5", "0"], ["2", "simulated", "10", "0"]]
