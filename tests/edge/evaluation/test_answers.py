"""Answers on disk."""

import csv
import json
from pathlib import Path

from edge.evaluation.answers import Answer, AnswerReport, write_csv, write_json
from edge.evaluation.metrics import Accuracy

RIGHT = Answer("a.wav", "glad", "glad", 0.75, {"calm": 0.25, "glad": 0.75}, None)
NOT_FINITE = Answer("b.wav", "calm", "calm", float("nan"), {"calm": float("nan"), "glad": 0.5}, None)
FAILED = Answer("c, d.wav", "glad", None, None, None, "no such file: c, d.wav")
REPORT = AnswerReport(
    "tiny 0.0.1", "numpy", ["calm", "glad"], Accuracy(2, 0.5, 0.5, 0.1, [[0, 0], [0, 1]]), [RIGHT, NOT_FINITE, FAILED]
)


def test_a_table_has_a_row_a_clip(tmp_path: Path) -> None:
    write_csv(REPORT, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        right, _, failed = csv.DictReader(file)
    assert right == {
        **{"path": "a.wav", "truth": "glad", "label": "glad", "confidence": "0.75"},
        **{"p_calm": "0.25", "p_glad": "0.75", "error": ""},
    }
    assert (failed["path"], failed["label"], failed["p_calm"], failed["error"]) == (
        *("c, d.wav", "", "", "no such file: c, d.wav"),
    )


def test_json_has_the_figures_and_the_answers(tmp_path: Path) -> None:
    write_json(REPORT, tmp_path / "a.json")
    read = json.loads((tmp_path / "a.json").read_text())
    assert (read["bundle"], read["accuracy"]["ua"], read["accuracy"]["confusion"]) == (
        "tiny 0.0.1",
        0.5,
        [[0, 0], [0, 1]],
    )
    assert [clip["confidence"] for clip in read["clips"]] == [0.75, None, None]
