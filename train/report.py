"""Report of a comparison of methods: Markdown and JSON in a folder, and tables on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from rich.table import Table

from edge.errors import UsageError
from edge.evaluation.metrics import evaluate
from edge.system.files import check_file
from edge.validation import UNREADABLE, explain

from .intervals import RESAMPLES, Accuracies, Interval, Outcome, accuracies, difference

Verdict = Literal["better", "worse", "no difference shown"]

EMPTY_CELL = "–"
LEGEND = (
    f"UA, WA: mean of the runs and, in brackets, its 95 % interval (bootstrap over utterances and runs, {RESAMPLES:,} "
    "resamples). Differences are in points, paired by utterance and by run; one is shown where its interval excludes "
    "0. Each stands for itself: of twenty comparisons of equals, one is expected to show a difference. New speakers "
    "vary more than new utterances of the same ones, which is all that the intervals know of."
)


@dataclass(frozen=True)
class Published:
    """Row of the paper's table; shares between 0 and 1."""

    ua: float
    wa: float


PAPER = {
    "audio only": Published(0.7768, 0.7725),
    "video only": Published(0.4790, 0.4661),
    "baseline": Published(0.7785, 0.7731),
    "baseline + AVEL": Published(0.7931, 0.7820),
    "baseline + MEM": Published(0.7810, 0.7694),
    "baseline + AVEL + MEM": Published(0.8010, 0.7945),
}
"""Li et al., Interspeech 2024, arXiv 2408.09438, the table of the ablation: IEMOCAP, five folds, the best epoch on the
left-out session itself; video as whole images. The baseline is the fusion with neither auxiliary task."""


@dataclass(frozen=True)
class Comparison:
    """Outcomes to compare; ValueError if the baseline is not among the methods, or the labels do not fit."""

    outcomes: Mapping[str, Mapping[str, Outcome]]
    """Outcome by method and evaluation (a protocol, or the modalities). Not every method has every evaluation."""
    baseline: str
    """Method that the others are compared with."""
    labels: Sequence[str]
    """Classes, in the order of the probabilities."""
    command: str
    """Command that made the comparison."""
    notes: Sequence[str] = ()
    paper: Mapping[str, Mapping[str, Published]] = field(default_factory=dict)
    """The paper's figures by evaluation and method, such as `{"published": PAPER}`."""

    def __post_init__(self) -> None:
        if self.baseline not in self.outcomes:
            raise ValueError(f"no method is called {self.baseline!r}, the baseline; there are {list(self.outcomes)}")
        widths = {outcome.probs.shape[2] for outcomes in self.outcomes.values() for outcome in outcomes.values()}
        if widths - {len(self.labels)}:
            raise ValueError(f"probabilities of {sorted(widths)} classes; there are {len(self.labels)} labels")


@dataclass(frozen=True)
class Against:
    """Difference from the baseline."""

    ua: Interval
    wa: Interval
    ua_verdict: Verdict
    wa_verdict: Verdict


@dataclass(frozen=True)
class Cell:
    """Figures of one method in one evaluation; shares between 0 and 1."""

    count: int
    """Number of utterances."""
    runs: int
    ua: Interval
    wa: Interval
    ece: float
    """Calibration error, mean of the runs."""
    confusion: list[list[int]]
    """Sum of the runs, row = truth, column = prediction."""
    against: Against | None
    """Difference from the baseline; None for the baseline itself, and if it has no such evaluation."""
    paper: Published | None


@dataclass(frozen=True)
class Findings:
    """Figures of a comparison, as stored in `table.json`."""

    labels: list[str]
    baseline: str
    cells: dict[str, dict[str, Cell]]
    """Figures by evaluation and method."""
    command: str
    notes: list[str]


def find(comparison: Comparison) -> Findings:
    """Compute every figure; ValueError if a method and the baseline were evaluated on different utterances or seeds."""
    cells: dict[str, dict[str, Cell]] = {}
    for method, outcomes in comparison.outcomes.items():
        for evaluation, outcome in outcomes.items():
            baseline = None
            if method != comparison.baseline:
                baseline = comparison.outcomes[comparison.baseline].get(evaluation)
            paper = comparison.paper.get(evaluation, {}).get(method)
            cells.setdefault(evaluation, {})[method] = make_cell(outcome, baseline, paper)
    # Evaluations of one modality alone follow the evaluation that they are a part of.
    whole = list(dict.fromkeys(name.partition(",")[0] for name in cells))
    cells = {name: cells[name] for name in sorted(cells, key=lambda name: whole.index(name.partition(",")[0]))}
    return Findings(list(comparison.labels), comparison.baseline, cells, comparison.command, list(comparison.notes))


def make_cell(outcome: Outcome, baseline: Outcome | None, paper: Published | None) -> Cell:
    """Return the figures of one outcome."""
    intervals = accuracies(outcome)
    runs = [evaluate(probs, outcome.truth) for probs in outcome.probs]
    return Cell(
        count=len(outcome.truth),
        runs=len(runs),
        ua=intervals.ua,
        wa=intervals.wa,
        ece=float(np.mean([run.ece for run in runs])),
        confusion=np.sum([run.confusion for run in runs], axis=0).tolist(),
        against=None if baseline is None else compare_with_baseline(difference(outcome, baseline)),
        paper=paper,
    )


def compare_with_baseline(better_by: Accuracies) -> Against:
    """Return the differences from the baseline with their verdicts."""
    return Against(better_by.ua, better_by.wa, verdict(better_by.ua), verdict(better_by.wa))


def verdict(better_by: Interval) -> Verdict:
    """Return the verdict on the interval of a difference."""
    if not better_by.excludes_zero:
        return "no difference shown"
    return "better" if better_by.low > 0 else "worse"


def write(findings: Findings, folder: Path) -> None:
    """Write `table.md` and `table.json` into the folder, which is created if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(markdown(findings), encoding="utf-8")
    (folder / "table.json").write_bytes(msgspec.json.format(msgspec.json.encode(findings), indent=1) + b"\n")


def read(path: Path) -> Findings:
    """Read the findings of a `table.json`."""
    check_file(path, "give the table.json of an ablation")
    content = path.read_bytes()
    try:
        return msgspec.json.decode(content, type=Findings)
    except UNREADABLE as error:
        problem = explain(error, content, Findings)
        raise UsageError(f"{path} is not a table of this version: {problem}; make it again") from error


def markdown(findings: Findings) -> str:
    """Return a table for each evaluation, the meaning of the figures, and the command."""
    parts = []
    for evaluation in findings.cells:
        header, *rows = table_rows(findings, evaluation)
        marks = [":--"] + ["--:"] * (len(header) - 1)
        parts.append(f"## {evaluation}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in (header, marks, *rows)))
    parts.append(f"{LEGEND} Classes: {', '.join(findings.labels)}.")
    if findings.notes:
        parts.append("\n".join(f"- {note}" for note in findings.notes))
    parts.append(f"Made by\n\n```sh\n{findings.command}\n```")
    return "\n\n".join(parts) + "\n"


def terminal_tables(findings: Findings) -> Iterator[Table]:
    """Yield the same tables for a terminal."""
    for evaluation in findings.cells:
        header, *rows = table_rows(findings, evaluation)
        table = Table(title=evaluation)
        for number, column in enumerate(header):
            table.add_column(column, justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*row)
        yield table


def table_rows(findings: Findings, evaluation: str) -> Iterator[list[str]]:
    """Yield the header and a row for each method, in percent; columns without any figure are left out."""
    cells = findings.cells[evaluation]
    compared = any(cell.against for cell in cells.values())
    published = any(cell.paper for cell in cells.values())
    header = ["method", "utterances", "runs", "UA %", "WA %", "ECE %"]
    header += [f"UA against {findings.baseline}", f"WA against {findings.baseline}"] * compared
    yield header + ["paper: UA %", "paper: WA %"] * published
    for method, row in cells.items():
        line = [method, f"{row.count:,}", str(row.runs), share(row.ua), share(row.wa), f"{100 * row.ece:.1f}"]
        if compared:
            ways = (row.against.ua, row.against.wa) if row.against else (None, None)
            line += [EMPTY_CELL if way is None else points(way) for way in ways]
        if published:
            shares = (row.paper.ua, row.paper.wa) if row.paper else (None, None)
            line += [EMPTY_CELL if figure is None else f"{100 * figure:.1f}" for figure in shares]
        yield line


def share(interval: Interval) -> str:
    """Return an interval in percent, such as `77.7 (76.5 to 78.9)`."""
    return f"{100 * interval.mean:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def points(better_by: Interval) -> str:
    """Return a difference in points with its verdict, such as `+1.5 (+0.6 to +2.3), better`."""
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    mean, low, high = (round(100 * figure, 1) + 0.0 for figure in (better_by.mean, better_by.low, better_by.high))
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f}), {verdict(better_by)}"
