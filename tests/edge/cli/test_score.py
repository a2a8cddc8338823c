"""The command `foal-edge score`: what it writes."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.sources.demo import MOODS, face

CPU = ("--backend", "onnxruntime", "--threads", 1)


@pytest.fixture
def table(tmp_path: Path, make_clip: Callable[..., Path]) -> Path:
    make_clip(tmp_path / "a.mkv", np.stack([face(MOODS[1])] * 10))
    (tmp_path / "t.csv").write_text("file,emotion\na.mkv,joy\na.mkv,boredom\na.mkv,SAD\n")
    return tmp_path / "t.csv"


def test_each_clips_answer_is_written(edge_command: Callable[..., Any], table: Path, tmp_path: Path) -> None:
    files = ("--csv", tmp_path / "answers.csv", "--json", tmp_path / "answers.json")
    ended = edge_command("score", table, "--skip-unknown-labels", *files, *CPU)
    assert ended.status == 0
    assert "clips left out, as the bundle does not have their labels: boredom (1)" in ended.out
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["truth"] for row in rows] == ["happy", "sad"]
    assert rows[0]["p_happy"] == rows[1]["p_happy"]
    report = json.loads((tmp_path / "answers.json").read_text())
    assert sum(map(sum, report["accuracy"]["confusion"])) == 2
    assert [clip["label"] for clip in report["clips"]] == [row["label"] for row in rows]


def test_an_unknown_label_is_refused_with_what_leaves_it_out(edge_command: Callable[..., Any], table: Path) -> None:
    ended = edge_command("score", table, *CPU)
    assert ended.status == 2
    assert "line 3: label 'boredom' is none of the bundle's" in ended.err
    assert "--skip-unknown-labels" in ended.err


def test_a_failed_clip_is_in_the_table_of_answers(
    edge_command: Callable[..., Any], table: Path, tmp_path: Path
) -> None:
    table.write_text("path,label\ngone.mkv,sad\na.mkv,sad\n")
    ended = edge_command("score", table, "--csv", tmp_path / "answers.csv", *CPU)
    assert ended.status == 3
    with (tmp_path / "answers.csv").open(newline="") as file:
        assert ["no such file" in row["error"] for row in csv.DictReader(file)] == [True, False]
