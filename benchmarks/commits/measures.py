"""Measures of two revisions, their ratios, and what counts as a regression."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from edge.bench.statistics import Interval, median_ratio, samples_needed

from .watch import Run

Round = Mapping[int, Run]
"""Runs of one revision in one round, by the number of their streams."""

MARGINS = {"CPU": 0.03, "p99": 0.25, "start": 0.05, "peak": 0.03, "further stream": 0.10}
"""Noise by measure: the share above 1 up to which the lower end of a ratio's interval shows nothing."""
LEAST_MB = 0.1
"""Memory of a further stream below which none is told apart."""
NO_INTERVAL = "too few rounds"


class Measure(NamedTuple):
    """Quantity of a round, the smaller the better."""

    name: str
    unit: str
    margin: float
    """Share by which the ratio of a revision that costs the same may exceed 1."""
    of: Callable[[Round], float]


class Comparison(NamedTuple):
    """One measure of both revisions."""

    measure: Measure
    before: float
    """Median over the rounds."""
    after: float
    ratio: Interval
    """Ratio of the medians, after to before; rounds are resampled in pairs."""

    @property
    def is_regression(self) -> bool:
        """True if the interval lies wholly above 1 and the margin."""
        return self.ratio.is_bounded and self.ratio.low > 1 + self.measure.margin

    @property
    def verdict(self) -> str:
        """Verdict of the interval, in a few words."""
        if not self.ratio.is_bounded:
            return NO_INTERVAL
        if self.is_regression:
            return "REGRESSION"
        if not self.ratio.shows_difference:
            return "no difference shown"
        return "more, within the margin" if self.ratio.low > 1 else "less"


def measures(stream_counts: Sequence[int]) -> Iterator[Measure]:
    """Yield the measures of runs with so many streams."""
    fewest, most = min(stream_counts), max(stream_counts)
    yield Measure("start to first prediction", "s", MARGINS["start"], lambda runs: runs[fewest].start_s)
    for count in sorted(set(stream_counts)):
        streams = f"{count} stream{'s' if count > 1 else ''}"
        yield Measure(f"CPU time, {streams}", "ms per stream and s", MARGINS["CPU"], at(count, lambda run: run.cpu_ms))
        yield Measure(f"p99 latency, {streams}", "ms", MARGINS["p99"], at(count, lambda run: run.p99_ms))
        yield Measure(f"peak memory, {streams}", "MB", MARGINS["peak"], at(count, lambda run: run.peak_mb))
    if fewest < most:
        yield Measure("memory of a further stream", "MB", MARGINS["further stream"], further_stream(fewest, most))


def at(count: int, of: Callable[[Run], float]) -> Callable[[Round], float]:
    """Return a function that measures the run with so many streams."""
    return lambda runs: of(runs[count])


def further_stream(fewest: int, most: int) -> Callable[[Round], float]:
    """Return a function from a round to the memory in MB that each further stream takes."""
    return lambda runs: max(LEAST_MB, (runs[most].peak_mb - runs[fewest].peak_mb) / (most - fewest))


def compare(measure: Measure, before: Sequence[Round], after: Sequence[Round]) -> Comparison:
    """Compare both revisions by one measure; round i of both was run at about the same time."""
    old, new = [measure.of(runs) for runs in before], [measure.of(runs) for runs in after]
    return Comparison(measure, median(old), median(new), median_ratio(new, old, paired=True))


def drops(rounds: Sequence[Round]) -> list[int]:
    """Return how much each round dropped, of all its runs."""
    return [sum(run.dropped for run in runs.values()) for runs in rounds]


def drops_more(before: Sequence[Round], after: Sequence[Round]) -> bool:
    """Return whether more was dropped in every round: as likely by chance as heads in each of so many throws."""
    pairs = list(zip(drops(before), drops(after), strict=True))
    return len(pairs) >= samples_needed(50) and all(new > old for old, new in pairs)
