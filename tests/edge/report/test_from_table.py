"""Reports of tables."""

from pathlib import Path

import pytest

from edge.annotation.about import write_about
from edge.annotation.tables import write_csv, write_jsonl
from edge.errors import UsageError
from edge.report.from_table import read_table
from tests.edge.annotation.made_rows import UNSEEN, person_rows
from tests.edge.annotation.test_about import ABOUT
from tests.edge.report.made_report import rows


@pytest.mark.parametrize("write", [write_csv, write_jsonl])
def test_a_table_is_read_with_its_note(tmp_path: Path, write) -> None:
    path = tmp_path / "talk.emotions.csv"
    write(rows(), path)
    write_about(ABOUT, tmp_path / "talk.emotions.about.json")
    report = read_table(path)
    assert (report.title, report.notes, report.versions) == ("talk.mp4", ["a note"], {"numpy": "2"})
    assert report.sections[0].rows == rows()
    assert report.settings["hop_s"] == "0.5"
    assert report.settings["steady_state.enter"] == "0.5"
    assert "audio_track" not in report.settings


def test_each_of_several_people_has_a_part(tmp_path: Path) -> None:
    own = [*person_rows(1, 2, 3), *person_rows(12, 3)]
    write_csv([*own, UNSEEN], tmp_path / "a.csv")
    sections = read_table(tmp_path / "a.csv").sections
    assert [(section.name, section.rows) for section in sections] == [
        ("a.csv", [UNSEEN]),
        ("a.csv, person 1", own[:2]),
        ("a.csv, person 12", own[2:]),
    ]


def test_a_table_without_a_note_says_so(tmp_path: Path) -> None:
    write_csv(rows(), tmp_path / "a.csv")
    report = read_table(tmp_path / "a.csv")
    assert (report.title, report.settings) == ("a.csv", {})
    assert report.notes == ["settings and versions are not known: there is no note beside a.csv"]


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    write_jsonl([], tmp_path / "a.jsonl")
    with pytest.raises(UsageError, match=r"a\.jsonl has no (rows|column)"):
        read_table(tmp_path / "a.jsonl")
