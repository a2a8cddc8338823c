"""Figures derived from series: per sample and per second, against the roofline, the first candidate and one another."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..wire.drop_reasons import OVERLOAD
from .report import Report, Roofline, Scenario, Series
from .statistics import Interval, median_ratio, percentile

PERCENTILES = (50, 90, 95, 99)
NOT_DROPS = ("windows",)
"""Counters of a live series that are no drops."""
INTERLEAVED: tuple[Scenario, ...] = ("stage", "single stream", "multi stream", "offline")
"""Scenarios in which every candidate runs once per round."""


class SeriesKey(NamedTuple):
    """Identity of a series: two with the same key compare. The load of a server is part of its operation."""

    scenario: Scenario
    operation: str
    candidate: str
    size: int


class Comparison(NamedTuple):
    """Comparison of a series with the same one of the report's first candidate."""

    series: Series
    ratio: Interval
    """Ratio of the medians; below 1 where the series is faster."""


class CpuBreakdown(NamedTuple):
    """CPU milliseconds per second of one of a live run's streams, in all and by stage."""

    live: Series
    total: float
    decode: float
    framing: float
    image_encoder: float
    audio_encoder: float
    fusion: float

    @property
    def rest(self) -> float | None:
        """CPU milliseconds that no stage accounts for: passing media on, cutting windows, messages, threads.

        None where the difference means nothing: a run that dropped something did less than the stages say, and on a
        machine that was busy otherwise a stage by itself takes longer than the whole.
        """
        rest = self.total - self.framing - self.decode - self.image_encoder - self.audio_encoder - self.fusion
        has_dropped = any(self.live.counts.get(reason) for reason in OVERLOAD)
        return None if rest < 0 or has_dropped else rest

    @property
    def overhead_share(self) -> float | None:
        """Share of the total (0 to 1) that is neither decoding nor one of the graphs; None where `rest` is."""
        return None if self.rest is None else (self.rest + self.framing) / self.total


def key(series: Series) -> SeriesKey:
    """Return the key of a series."""
    return SeriesKey(series.scenario, series.operation, series.candidate, series.size)


def sampled(report: Report) -> dict[SeriesKey, Series]:
    """Return the series that have samples, by their keys."""
    return {key(series): series for series in report.series if series.samples_ms}


def median_ms(series: Series) -> float | None:
    """Return the median of the samples, None where there are none."""
    return float(np.median(series.samples_ms)) if series.samples_ms else None


def percentiles_ms(series: Series) -> list[float | None]:
    """Return each of `PERCENTILES`, None where the samples do not support it."""
    return [percentile(series.samples_ms, wanted) for wanted in PERCENTILES]


def per_sample(total: float | None, series: Series) -> float | None:
    """Divide the total of a series among its samples; None where the total is not known or there are no samples."""
    return total / len(series.samples_ms) if total is not None and series.samples_ms else None


def rows_per_s(series: Series) -> float | None:
    """Return the throughput in rows (windows, frames) per second, None where there are no samples."""
    took_s = sum(series.samples_ms) / 1e3
    return series.size * len(series.samples_ms) / took_s if took_s else None


def drops(series: Series) -> dict[str, int]:
    """Return the drops of a live series by reason, without those that are 0."""
    return {reason: count for reason, count in series.counts.items() if count and reason not in NOT_DROPS}


def gflops(series: Series) -> float | None:
    """Return GFLOP/s at the median, None where the FLOPs are not counted."""
    middle_ms = median_ms(series)
    return series.gflop / middle_ms * 1e3 if series.gflop is not None and middle_ms else None


def roofline_share(series: Series, roofline: Roofline) -> float | None:
    """Return the least time that the roofline allows, bound by compute or by memory, as a share of the median.

    None where neither FLOPs nor memory traffic are counted. A share above 1 means that the roofline is another
    device's.
    """
    middle_ms = median_ms(series)
    limits_s = [series.gflop / roofline.gemm_gflops] if series.gflop is not None else []
    limits_s += [series.traffic_mb / 1e3 / roofline.copy_gbps] if series.traffic_mb is not None else []
    return max(limits_s) * 1e3 / middle_ms if limits_s and middle_ms else None


def compare_with_first(report: Report) -> Iterator[Comparison]:
    """Yield every other candidate's series that the first one has as well, paired where their runs were interleaved."""
    first = report.candidates[0].name if report.candidates else ""
    references = sampled(report)
    for own, series in sampled(report).items():
        reference = references.get(own._replace(candidate=first))
        if reference is not None and own.candidate != first:
            paired = series.scenario in INTERLEAVED
            yield Comparison(series, median_ratio(series.samples_ms, reference.samples_ms, paired=paired))


def cpu_breakdowns(report: Report) -> Iterator[CpuBreakdown]:
    """Yield the CPU time of every live run whose stages were measured too, with one row per graph call."""
    windows_hz = 1 / report.hop_s
    for live in report.series:
        if live.scenario != "live" or live.cpu_s is None or not live.duration_s:
            continue
        stages = {
            each.operation: per_sample(each.cpu_s, each)
            for each in report.series
            if each.scenario == "stage" and each.size == 1 and each.candidate in ("", live.candidate)
        }
        costs_s = [stages.get(name) for name in ("decode 1 s", "framing", "image_encoder", "audio_encoder", "fusion")]
        known_s = [cost_s for cost_s in costs_s if cost_s is not None]
        if len(known_s) == len(costs_s):
            rates_hz = 1.0, report.frame_rate_hz, report.frame_rate_hz, windows_hz, windows_hz
            parts = [1e3 * cost_s * rate_hz for cost_s, rate_hz in zip(known_s, rates_hz, strict=True)]
            yield CpuBreakdown(live, 1e3 * live.cpu_s / live.duration_s / live.size, *parts)


def verdict(ratio: Interval) -> str:
    """Return what the interval of a ratio of times shows, if there are enough samples for one."""
    if not ratio.is_bounded:
        return "too few samples"
    if not ratio.shows_difference:
        return "no difference shown"
    return "faster" if ratio.value < 1 else "slower"
