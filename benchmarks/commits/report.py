"""Report of a comparison: a document with every figure of every run, and its text for people."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge.bench.report import Machine, Noise
from edge.bench.table_format import number, ratio_cells
from edge.errors import FoalError, UsageError
from edge.system.files import check_file
from edge.wire.page import table

from .measures import Comparison, Round, compare, drops, drops_more, measures
from .revisions import Revision
from .watch import Run

BEGIN, END = "<!-- commits -->\n", "<!-- end of commits -->\n"
"""Lines of a page between which the text of a report is written."""
HEADS = ("", "", "before", "after", "after / before", "95 % interval", "margin", "")


class Regression(FoalError):
    """Measure that is worse than before, beyond the noise."""

    exit_status = 7


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of two revisions on one machine."""

    date: str
    """Moment of the beginning, ISO 8601."""
    command: str
    recording: str
    machine: Machine
    noise: Noise
    stream_counts: list[int]
    seconds: float
    """Steady state that was measured in each run."""
    before: Revision
    after: Revision
    runs_before: list[list[Run]]
    """Runs of each round, one for each number of streams."""
    runs_after: list[list[Run]]

    def rounds(self) -> tuple[list[Round], list[Round]]:
        """Return the rounds of both revisions."""
        return rounds_of(self.runs_before), rounds_of(self.runs_after)

    def comparisons(self) -> list[Comparison]:
        """Return both revisions by every measure."""
        before, after = self.rounds()
        return [compare(measure, before, after) for measure in measures(self.stream_counts)]


def rounds_of(runs: Sequence[Sequence[Run]]) -> list[Round]:
    """Return the runs of each round by the number of their streams."""
    return [{run.streams: run for run in each} for each in runs]


def regressions(report: Report) -> Iterator[str]:
    """Yield each regression, for people."""
    for each in report.comparisons():
        if each.is_regression:
            low, high = each.ratio.low, each.ratio.high
            margin = f"1 + {each.measure.margin:g} is allowed"
            yield f"{each.measure.name}: {each.ratio.value:.3f} times that before ({low:.3f} to {high:.3f}; {margin})"
    before, after = report.rounds()
    if drops_more(before, after):
        yield f"more is dropped in every round: {sum(drops(before))} before, {sum(drops(after))} after"


def markdown(report: Report) -> str:
    """Return the report's text in Markdown."""
    before, after = report.rounds()
    rows = [cells(each) for each in report.comparisons()]
    rows.append(["dropped, all runs", "", f"{sum(drops(before)):,}", f"{sum(drops(after)):,}", "", "", "", ""])
    found = [f"- **REGRESSION**: {line}" for line in regressions(report)] or ["- No regression beyond the margins."]
    return "\n".join([*headlines(report), *found, "", table(HEADS, rows), ""])


def headlines(report: Report) -> Iterator[str]:
    """Yield what was measured, when and where."""
    yield f"- Before: {report.before.title}. After: {report.after.title}."
    yield f"- Measured: {report.date}, `{report.command}`"
    yield f"- Machine: {report.machine.cpu}, {report.machine.cores} cores, {report.machine.system}"
    count, seconds = len(report.runs_before), f"{report.seconds:g} s of the steady state"
    yield f"- Runs: {report.recording}; rounds with both revisions: {count}, with {seconds} in each run"
    for when, rounds in zip(("before", "after"), report.rounds(), strict=True):
        if dropped := sum(drops(rounds)):
            yield f"- OVERLOADED {when}: {dropped:,} dropped, so that less was computed; take fewer streams"
    yield from (f"- NOISY MACHINE: {warning}" for warning in report.noise.warnings)


def cells(each: Comparison) -> list[str]:
    """Return the cells of a comparison under `HEADS`."""
    medians = number(each.before), number(each.after)
    return [
        each.measure.name,
        each.measure.unit,
        *medians,
        *ratio_cells(each.ratio),
        f"{each.measure.margin:.0%}",
        each.verdict,
    ]


def write_on_page(page: Path, text: str) -> None:
    """Replace what a page has between its two lines; UsageError where it lacks them."""
    before, after = split_page(page)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def split_page(page: Path) -> tuple[str, str]:
    """Return what a page has before and after its two lines; UsageError where it lacks them."""
    check_file(page, "give a page that exists", what="page")
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"{page} has no lines {BEGIN.strip()} and {END.strip()}; write them where the report belongs")
    return before, after
