"""A trained model's figures: printed, kept as JSON, and in the checkpoint."""

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from edge.evaluation.metrics import Accuracy, evaluate
from train import figures
from train.calibration import LOWEST, remark_on
from train.figures import accuracy, measured, report

LABELS = ["calm", "glad"]
TEST = Accuracy(count=10, ua=0.1 + 0.2, wa=0.5, ece=1 / 3, confusion=[[4, 1], [2, 3]])
CORPUS = Accuracy(count=4, ua=0.75, wa=0.25, ece=0.125, confusion=[[31, 32], [33, 34]])


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Where the console prints to."""
    text = io.StringIO()
    monkeypatch.setattr(figures, "console", Console(file=text, width=100))
    return text


def rows(text: str) -> list[list[str]]:
    """The cells of every table, row by row."""
    return [[cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in text.splitlines()]


def test_the_log_line_shows_ua_and_wa() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [5.0, 0.0]])
    labels = torch.tensor([0, 1, 1, 0])
    assert accuracy(logits, labels) == {"ua": 0.75, "wa": 0.75}
    figures = evaluate(logits.softmax(dim=1).numpy(), labels.numpy())
    assert accuracy(logits, labels) == {"ua": figures.ua, "wa": figures.wa}


def test_a_checkpoint_keeps_all_but_the_confusions() -> None:
    assert measured({"test both": TEST, "test nemo": CORPUS}) == {
        "test both": {"count": 10, "ua": 0.1 + 0.2, "wa": 0.5, "ece": 1 / 3},
        "test nemo": {"count": 4, "ua": 0.75, "wa": 0.25, "ece": 0.125},
    }


def test_every_evaluation_is_a_row_and_those_by_modality_have_their_confusion(
    printed: io.StringIO, tmp_path: Path
) -> None:
    report(LABELS, {"test audio": TEST, "test nemo": CORPUS}, 1.23456, tmp_path)
    shown = rows(printed.getvalue())
    assert ["test audio", "10", "30.0", "50.0", "33.3"] in shown
    assert ["test nemo", "4", "75.0", "25.0", "12.5"] in shown
    assert ["truth \\ predicted", "calm", "glad"] in shown
    assert ["calm", "4", "1"] in shown
    assert ["glad", "2", "3"] in shown
    assert not any("31" in row or "34" in row for row in shown)
    assert printed.getvalue().endswith("temperature 1.235\n")


def test_the_report_keeps_every_digit(printed: io.StringIO, tmp_path: Path) -> None:
    report(LABELS, {"test both": TEST, "test nemo": CORPUS}, 1.2345678901234567, tmp_path)
    assert printed.getvalue()
    text = (tmp_path / "report.json").read_text()
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "temperature": 1.2345678901234567,
        "test both": {"count": 10, "ua": 0.1 + 0.2, "wa": 0.5, "ece": 1 / 3, "confusion": [[4, 1], [2, 3]]},
        "test nemo": {"count": 4, "ua": 0.75, "wa": 0.25, "ece": 0.125, "confusion": [[31, 32], [33, 34]]},
    }


def test_a_temperature_at_a_limit_is_said_and_kept(printed: io.StringIO, tmp_path: Path) -> None:
    report(LABELS, {"test both": TEST}, LOWEST, tmp_path)
    remark = remark_on(LOWEST)
    assert " ".join(printed.getvalue().split()).endswith(f"temperature 0.050 {remark}")
    assert json.loads((tmp_path / "report.json").read_text())["remark"] == remark
