"""CSV and JSON Lines of rows, read by others and back."""

import csv
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.annotation.tables import flatten, read_rows, write_csv, write_jsonl
from edge.errors import UsageError
from tests.edge.annotation.made_rows import ROW, UNSEEN

ROWS = [ROW, UNSEEN, replace(ROW, confidence=1 / 3, start_s=0.1)]


def test_the_columns_are_those_that_the_page_names() -> None:
    assert list(flatten(ROW)) == [
        *("start_s", "end_s", "label", "confidence", "steady_label", "p_calm", "p_glad", "agreement"),
        *("audio", "speech", "rms_dbfs", "video", "faces", "frames", "frame", "face_id"),
        *("timestamp", "success", "FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"),
    ]


def test_other_programs_find_their_columns(tmp_path: Path) -> None:
    write_csv(ROWS, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        seen, unseen, _ = csv.DictReader(file)
    assert (seen["frame"], seen["timestamp"], seen["face_id"], seen["confidence"], seen["success"]) == (
        *("12", "0.5", "0", "0.75", "1"),
    )
    assert [seen[f"FaceRect{side}"] for side in ("X", "Y", "Width", "Height")] == ["10", "20", "30", "40"]
    assert (unseen["success"], unseen["face_id"], unseen["FaceRectX"], unseen["agreement"]) == ("0", "", "", "")


def test_every_digit_comes_back(tmp_path: Path) -> None:
    write_csv(ROWS, tmp_path / "a.csv")
    write_jsonl(ROWS, tmp_path / "a.jsonl")
    assert read_rows(tmp_path / "a.csv") == ROWS == read_rows(tmp_path / "a.jsonl")


def test_lines_of_json_are_json(tmp_path: Path) -> None:
    write_jsonl(ROWS, tmp_path / "a.jsonl")
    first, *others = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (first["probs"], first["box"], len(others)) == ({"calm": 0.25, "glad": 0.75}, [10, 20, 30, 40], 2)


@pytest.mark.parametrize("label", ['ann,oyed "a lot"', "zwei\nZeilen", "=1+1", "später", "a;b\tc"])
def test_labels_of_any_words_come_back(tmp_path: Path, label: str) -> None:
    rows = [replace(ROW, label=label, steady_label=label, probs={label: 1.0})]
    write_csv(rows, tmp_path / "a.csv")
    write_jsonl(rows, tmp_path / "a.jsonl")
    assert read_rows(tmp_path / "a.csv") == rows == read_rows(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("0.75", "much"), r"a\.csv, line 2: confidence: found 'much', expected a number"),
        (("ok", "fine"), r"a\.csv, line 2: audio: found 'fine', expected one of"),
        (("start_s", "begin"), r"a\.csv has no column start_s"),
        (("0.5,", '"0.5,'), r"a\.csv, after line 1: unexpected end"),
    ],
)
def test_a_table_that_is_damaged_is_named_with_its_line(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    write_csv([ROW], tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(text.replace(*change, 1))
    with pytest.raises(UsageError, match=reason):
        read_rows(tmp_path / "a.csv")


def test_damaged_json_is_named_with_its_line(tmp_path: Path) -> None:
    write_jsonl([ROW, ROW], tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").write_bytes((tmp_path / "a.jsonl").read_bytes()[:-20])
    with pytest.raises(UsageError, match=r"a\.jsonl, line 2"):
        read_rows(tmp_path / "a.jsonl")
