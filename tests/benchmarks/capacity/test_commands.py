"""The commands of the capacity: a table on stdout, and a figure where one is asked for."""

from pathlib import Path

import msgspec
from click.testing import CliRunner

from benchmarks.capacity.commands import film_or_demo
from benchmarks.capacity.cost import CostModel
from benchmarks.commands import main


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["capacity", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_node_and_a_fleet_are_simulated(cost: CostModel, tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    path.write_bytes(msgspec.json.encode(cost))
    assert "| 2 | " in run("node", "--cost", path, "--streams", "1,2", "--seconds", 10)
    picture = tmp_path / "fleet.png"
    said = run(
        "simulate", "--cost", path, "--cameras", 2, "--nodes", 2, "--cores", 4, "--seconds", 10, "--plot", picture
    )
    assert "| 2 at 1 | 1 |" in said
    assert picture.is_file()


def test_a_film_that_is_given_is_taken(tmp_path: Path) -> None:
    with film_or_demo(tmp_path / "talk.mp4") as film:
        assert film == tmp_path / "talk.mp4"
