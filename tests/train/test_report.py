"""The comparison's figures, as JSON holds them and as Markdown and the terminal show them."""

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from edge.evaluation.metrics import evaluate
from train.intervals import Interval, Outcome, accuracies, difference
from train.report import (
    EMPTY_CELL,
    PAPER,
    Against,
    Cell,
    Comparison,
    Findings,
    Published,
    find,
    markdown,
    points,
    read,
    share,
    terminal_tables,
    verdict,
    write,
)

LABELS = ["angry", "happy", "neutral", "sad"]
COMMAND = "python -m train ablate --config configs/tiny.yaml"


def outcome(skill: float, seed: int = 0, runs: int = 3, count: int = 300) -> Outcome:
    """Probabilities that lean towards the truth, which is the same for every skill and seed."""
    truth = np.arange(count) % 4
    logits = np.random.default_rng(seed).normal(size=(runs, count, 4)) + skill * np.eye(4)[truth]
    return Outcome(np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True), truth)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return Comparison(
        outcomes={
            "audio only": {"strict": outcome(1.0, 1)},
            "baseline": {"published": outcome(1.5, 2), "strict": outcome(1.4, 3)},
            "baseline + AVEL": {"published": outcome(2.5, 4), "strict": outcome(1.4, 5)},
        },
        baseline="baseline",
        labels=LABELS,
        command=COMMAND,
        notes=["Speakers of the left-out session are heard in no other."],
        paper={"published": PAPER},
    )


@pytest.fixture(scope="module")
def findings(comparison: Comparison) -> Findings:
    return find(comparison)


def cells_of(table: str, method: str) -> list[str]:
    row = next(row for row in table.splitlines() if row.startswith(f"| {method} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_every_cell_holds_its_outcomes_figures(comparison: Comparison, findings: Findings) -> None:
    chosen, base = (comparison.outcomes[method]["published"] for method in ("baseline + AVEL", "baseline"))
    found = findings.cells["published"]["baseline + AVEL"]
    intervals, better_by = accuracies(chosen), difference(chosen, base)
    runs = [evaluate(probs, chosen.truth) for probs in chosen.probs]
    assert (found.count, found.runs) == (300, 3)
    assert (found.ua, found.wa) == (intervals.ua, intervals.wa)
    assert found.ece == pytest.approx(sum(run.ece for run in runs) / 3)
    assert found.confusion == sum(np.array(run.confusion) for run in runs).tolist()
    assert found.against == Against(better_by.ua, better_by.wa, "better", "better")
    assert found.paper == Published(0.7931, 0.7820)


def test_the_paper_is_beside_the_evaluation_it_made(findings: Findings) -> None:
    assert findings.cells["published"]["baseline"].paper == Published(0.7785, 0.7731)
    assert findings.cells["strict"]["baseline"].paper is None


def test_order_and_gaps_are_the_callers(findings: Findings) -> None:
    assert list(findings.cells) == ["strict", "published"]
    assert list(findings.cells["strict"]) == ["audio only", "baseline", "baseline + AVEL"]
    assert list(findings.cells["published"]) == ["baseline", "baseline + AVEL"]


def test_the_baseline_is_held_against_nothing(findings: Findings) -> None:
    assert findings.cells["strict"]["baseline"].against is None
    without = find(Comparison({"a": {}, "b": {"strict": outcome(1)}}, "a", LABELS, COMMAND))
    assert without.cells["strict"]["b"].against is None
    assert "against" not in markdown(without).splitlines()[2]


def test_json_decodes_to_the_same_numbers(findings: Findings, tmp_path: Path) -> None:
    write(findings, tmp_path / "new" / "folder")
    path = tmp_path / "new" / "folder" / "table.json"
    assert read(path) == findings
    plain = json.loads(path.read_text())
    found = findings.cells["strict"]["audio only"]
    assert plain["cells"]["strict"]["audio only"]["ua"] == {
        "mean": found.ua.mean,
        "low": found.ua.low,
        "high": found.ua.high,
    }
    assert plain["cells"]["strict"]["audio only"]["against"]["ua_verdict"] == "worse"
    assert plain["cells"]["strict"]["baseline + AVEL"]["against"]["ua_verdict"] == "no difference shown"
    assert plain["labels"] == LABELS


def made_findings() -> Findings:
    """Figures that are known to the digit."""
    ua, wa = Interval(0.7768, 0.7649, 0.7887), Interval(0.77251, 0.76, 0.78)
    better_by = Against(
        Interval(0.0146, 0.006, 0.0231), Interval(-0.0004, -0.011, 0.01), "better", "no difference shown"
    )
    counts = [[1, 0], [0, 1]]
    cells = {
        "baseline": Cell(5531, 5, ua, wa, 0.0312, counts, None, Published(0.7785, 0.7731)),
        "+ AVEL": Cell(5531, 5, ua, wa, 0.04, counts, better_by, None),
    }
    return Findings(["glad", "sad"], "baseline", {"published": cells}, COMMAND, ["first", "second"])


def test_markdown_as_it_reads(tmp_path: Path) -> None:
    write(made_findings(), tmp_path)
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    head, _, tail = text.partition("\n\nUA, WA: mean of the runs")
    assert head.splitlines() == [
        "## published",
        "",
        "| method | utterances | runs | UA % | WA % | ECE % "
        "| UA against baseline | WA against baseline | paper: UA % | paper: WA % |",
        "| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
        "| baseline | 5,531 | 5 | 77.7 (76.5 to 78.9) | 77.3 (76.0 to 78.0) | 3.1 | – | – | 77.8 | 77.3 |",
        "| + AVEL | 5,531 | 5 | 77.7 (76.5 to 78.9) | 77.3 (76.0 to 78.0) | 4.0 "
        "| +1.5 (+0.6 to +2.3), better | +0.0 (-1.1 to +1.0), no difference shown | – | – |",
    ]
    assert "2,000 resamples" in tail
    assert tail.endswith(f"Classes: glad, sad.\n\n- first\n- second\n\nMade by\n\n```sh\n{COMMAND}\n```\n")


def test_no_column_without_figures(findings: Findings) -> None:
    strict = markdown(findings).split("## ")[1]
    assert "paper" not in strict
    assert len(cells_of(strict, "audio only")) == 8
    assert cells_of(strict, "baseline")[-2:] == [EMPTY_CELL, EMPTY_CELL]
    assert cells_of(strict, "audio only")[-1].endswith(", worse")


def test_the_terminal_shows_the_same(findings: Findings) -> None:
    console = Console(width=240)
    with console.capture() as captured:
        console.print(*terminal_tables(findings))
    text = captured.get()
    for cells in findings.cells.values():
        for method, cell in cells.items():
            row = next(row for row in text.splitlines() if f"│ {method} " in row and share(cell.ua) in row)
            assert cell.against is None or points(cell.against.wa) in row


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.001, 0.02, "better"),
        (-0.02, -0.001, "worse"),
        (-0.01, 0.02, "no difference shown"),
        (0.0, 0.02, "no difference shown"),
        (0.0, 0.0, "no difference shown"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(low: float, high: float, expected: str) -> None:
    assert verdict(Interval((low + high) / 2, low, high)) == expected


def test_the_papers_best_row_is_all_of_it() -> None:
    assert max(PAPER, key=lambda row: PAPER[row].ua) == "baseline + AVEL + MEM"
    assert all(0.4 < figure < 0.9 for row in PAPER.values() for figure in (row.ua, row.wa))


def test_a_comparison_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="no method is called 'fusion', the baseline; there are"):
        Comparison({"audio only": {"strict": outcome(1)}}, "fusion", LABELS, COMMAND)
    with pytest.raises(ValueError, match=r"probabilities of \[4\] classes; there are 2 labels"):
        Comparison({"audio only": {"strict": outcome(1)}}, "audio only", LABELS[:2], COMMAND)
