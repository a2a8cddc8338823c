"""Figures derived from series: of one sample, of a second, against the machine's best, and against one another."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .report import Document, Roof, Scenario, Series
from .statistics import Interval, median_ratio, percentile

PERCENTILES = (50, 90, 95, 99)
NOT_DROPS = ("windows",)
"""What a live series counts beside its drops."""
IN_TURN: tuple[Scenario, ...] = ("stage", "single stream", "multi stream", "offline")
"""Scenarios in which the contenders run once each a round."""


class Key(NamedTuple):
    """What a series measures; two with the same one compare. Of a server's the load counts, which `what` names."""

    scenario: Scenario
    what: str
    contender: str
    size: int


class Comparison(NamedTuple):
    """A series against the same one of the document's first contender."""

    series: Series
    ratio: Interval
    """Of the medians; below 1 where the series is quicker."""


def key(series: Series) -> Key:
    """What it measures."""
    return Key(series.scenario, series.what, series.contender, series.size)


def measured(document: Document) -> dict[Key, Series]:
    """The series that have samples."""
    return {key(series): series for series in document.series if series.samples_ms}


def median_ms(series: Series) -> float | None:
    """None where there are no samples."""
    return float(np.median(series.samples_ms)) if series.samples_ms else None


def percentiles_ms(series: Series) -> list[float | None]:
    """Each of `PERCENTILES`, None where the samples do not support it."""
    return [percentile(series.samples_ms, wanted) for wanted in PERCENTILES]


def of_a_sample(total: float | None, series: Series) -> float | None:
    """A share of what all samples took; None where that is not known."""
    return total / len(series.samples_ms) if total is not None and series.samples_ms else None


def rows_per_s(series: Series) -> float | None:
    """Rows (windows, frames) in the time that the samples took; None where there are none."""
    took_s = sum(series.samples_ms) / 1e3
    return series.size * len(series.samples_ms) / took_s if took_s else None


def drops(series: Series) -> dict[str, int]:
    """Of a live series, by reason, those that are not 0."""
    return {reason: count for reason, count in series.counts.items() if count and reason not in NOT_DROPS}


def gflops(series: Series) -> float | None:
    """GFLOP a second at the median; None where the operations are not counted."""
    middle_ms = median_ms(series)
    return series.gflop / middle_ms * 1e3 if series.gflop is not None and middle_ms else None


def roof_share(series: Series, roof: Roof) -> float | None:
    """Which share of the median this machine would need at best, bound by arithmetic or by memory.

    None where neither operations nor bytes are counted. A share above 1 tells that the roof is another device's.
    """
    middle_ms = median_ms(series)
    limits_s = [series.gflop / roof.gemm_gflops] if series.gflop is not None else []
    limits_s += [series.moved_mb / 1e3 / roof.copy_gbps] if series.moved_mb is not None else []
    return max(limits_s) * 1e3 / middle_ms if limits_s and middle_ms else None


def against_first(document: Document) -> Iterator[Comparison]:
    """Every other contender's series that the first one has as well, paired where their runs took turns."""
    first = document.contenders[0].name if document.contenders else ""
    references = measured(document)
    for own, series in measured(document).items():
        reference = references.get(own._replace(contender=first))
        if reference is not None and own.contender != first:
            yield Comparison(
                series, median_ratio(series.samples_ms, reference.samples_ms, paired=series.scenario in IN_TURN)
            )


def verdict(ratio: Interval) -> str:
    """What the interval of a ratio of times shows."""
    if not ratio.shows_difference:
        return "no difference shown"
    return "quicker" if ratio.value < 1 else "slower"
