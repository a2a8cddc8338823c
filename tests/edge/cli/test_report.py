"""The command `foal-edge report`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.annotation.tables import write_csv
from tests.edge.recording.made_golden import GOLDEN
from tests.edge.report.made_report import rows

pytest.importorskip("matplotlib", reason="the extra `report` has matplotlib")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_csv(rows(), tmp_path / "talk.emotions.csv")
    return tmp_path / "talk.emotions.csv"


def test_a_page_is_written_beside_the_table(edge_command: Callable[..., Any], table: Path) -> None:
    ended = edge_command("report", table)
    assert (ended.status, ended.out) == (0, f"{table.with_suffix('.html')}\n")
    assert table.with_suffix(".html").read_text().startswith("<!DOCTYPE html>")


def test_labels_are_compared(edge_command: Callable[..., Any], table: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("begin,end,label\n0,3,glad\n")
    ended = edge_command("report", table, "--labels", tmp_path / "labels.csv", "-o", tmp_path / "page.html")
    assert ended.status == 0
    assert "6 windows are labelled: UA 100.0%" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("gone.csv",), "no such table: gone.csv"),
        (("TABLE", "-o", "TABLE"), "is what it is made of"),
        (("FILM",), "is to be annotated first"),
        (("FOLDER",), "is a folder of tables; give one of them"),
    ],
)
def test_what_cannot_be_is_named(
    edge_command: Callable[..., Any], table: Path, arguments: tuple[str, ...], reason: str
) -> None:
    film = table.with_name("talk.mp4")
    film.touch()
    paths = {"TABLE": table, "FILM": film, "FOLDER": table.parent}
    ended = edge_command("report", *(str(paths.get(word, word)) for word in arguments))
    assert ended.status == 2
    assert reason in ended.err


def test_a_recorded_run_has_a_page(edge_command: Callable[..., Any], tmp_path: Path) -> None:
    ended = edge_command("report", GOLDEN, "-o", tmp_path / "run.html")
    assert ended.status == 0
    page = (tmp_path / "run.html").read_text()
    assert "degraded" in page
    assert "foal-nano" in page
