"""Cameras are spread over nodes alike, and what came of it is written and drawn."""

from pathlib import Path

from benchmarks.capacity import fleet, plot
from benchmarks.capacity.cost import CostModel
from benchmarks.capacity.node import NodeSpec

BASE = NodeSpec(1, 10.0, 500_000_000, fleet.FIELD, seed=1)


def test_a_fleet_is_simulated_told_and_drawn(cost: CostModel, tmp_path: Path) -> None:
    told: list[int] = []
    found = fleet.simulate(cost, 7, 6, BASE, told.append)
    assert told == list(range(6))
    assert [spec.streams for spec in found.specs] == [2, *[1] * 5]
    assert [spec.speed for spec in found.specs] == [fleet.SLOW_SPEED, *[1.0] * 5]
    lines = fleet.fleet_table(found).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 5 at 1", "| 1 at 0.6"]
    plot.draw(found, tmp_path / "fleet.png")
    assert (tmp_path / "fleet.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_of_one_node_has_a_row_a_number_of_streams(cost: CostModel) -> None:
    lines = fleet.capacity_table(cost, [1, 4], BASE).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 1", "| 4"]
    assert all(line.split(" | ")[4] == "0.0" for line in lines[2:])
