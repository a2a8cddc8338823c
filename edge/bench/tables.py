"""Tables of a benchmark in Markdown, below lines that describe the machine, to be pasted into a README.

The tables are as wide as their cells: they are for a console that wraps softly.
"""

from collections.abc import Iterator

import numpy as np
from rich.table import Table

from .figures import (
    CpuBreakdown,
    compare_with_first,
    cpu_breakdowns,
    gflops,
    median_ms,
    per_sample,
    roofline_share,
    rows_per_s,
    verdict,
)
from .report import Machine, Noise, Report, Roofline, Series
from .statistics import drift, median_ratio, spread
from .table_format import (
    LATENCY_COLUMNS,
    drop_counts,
    latency_cells,
    markdown,
    number,
    precisions,
    ratio_cells,
    size_or_rate,
)


def tables(report: Report) -> Iterator[str | Table]:
    """Yield the lines and tables of a report, for a terminal or a README."""
    yield from headlines(report)
    parts = {
        "Candidates": candidates_table(report),
        "Scenarios, ms": scenarios_table(report),
        "Live latency, ms from capture to publish": live_table(report),
        "CPU time of a live stream, ms per second": cpu_table(report),
        "Stages": stages_table(report),
        f"Time relative to {report.candidates[0].name if report.candidates else 'the first'}": ratios_table(report),
        "Each frame encoded once, against every frame of every window": naive_table(report),
    }
    for title, table in parts.items():
        if table.row_count:
            yield ""
            yield title
            yield table


def headlines(report: Report) -> Iterator[str]:
    """Yield when, on what and how steadily was measured."""
    yield f"- measured: {report.date}, `{report.command}`"
    yield from machine_lines(report.machine)
    yield f"- played: {report.recording}, hop {report.hop_s:g} s, window {report.window_s:g} s"
    yield from noise_lines(report.noise)
    yield roofline_line(report.roofline)
    yield f"- energy: {report.energy_source or 'not reported by this platform'}"
    for part in report.failed:
        yield f"- FAILED: {part}"


def machine_lines(machine: Machine) -> Iterator[str]:
    """Yield the hardware, its clocks where the platform reports them, and versions."""
    memory = f"{machine.memory_mb / 1024:.1f} GiB"
    yield f"- machine: {machine.cpu}, {machine.cores} cores, {memory}, {machine.gpu or 'no GPU'}, {machine.system}"
    state = [f"{min(machine.clocks_mhz):.0f} to {max(machine.clocks_mhz):.0f} MHz"] if machine.clocks_mhz else []
    state += [f"governor {machine.governor}"] if machine.governor is not None else []
    state += [f"power mode {machine.power_mode}"] if machine.power_mode is not None else []
    state += [f"{machine.temperature_c:.0f} °C"] if machine.temperature_c is not None else []
    yield f"- clocks: {', '.join(state) or 'not reported by this platform'}"
    versions = [f"{name} {version}" for name, version in machine.versions.items()]
    versions += [f"commit {machine.commit}"] if machine.commit is not None else []
    yield f"- versions: {', '.join(versions) or 'not known'}"


def noise_lines(noise: Noise) -> Iterator[str]:
    """Yield how steady the machine was, and every warning in capitals."""
    figures = [f"{noise.steal_share:.1%} CPU steal", f"{noise.other_share:.1%} of the CPU time taken by others"]
    if noise.probe_ms:
        figures.append(f"probe {number(float(np.median(noise.probe_ms)))} ms")
        figures += [f"p90 {spread(noise.probe_ms):+.0%}", f"last third {drift(noise.probe_ms):+.1%}"]
    yield f"- noise: {', '.join(figures)}"
    for warning in noise.warnings:
        yield f"- NOISY MACHINE: {warning}"


def roofline_line(roofline: Roofline) -> str:
    """Return the peak throughput of the machine."""
    return f"- peak: {number(roofline.gemm_gflops)} GFLOP/s in float32, {number(roofline.copy_gbps)} GB/s copied"


def candidates_table(report: Report) -> Table:
    """Build a table of what each candidate runs on what, and how far its golden outputs are off."""
    columns = ("candidate", "bundle", "manifest", "precision", "about", "share of golden tolerance")
    return markdown(
        columns,
        (
            (c.name, c.bundle, c.manifest_sha256[:12], precisions(c.precision), c.about, number(c.difference))
            for c in report.candidates
        ),
    )


def scenarios_table(report: Report) -> Table:
    """Build a table of everything but the live runs and the stages."""
    columns = (
        "scenario", "operation", "size", "candidate", "n", *LATENCY_COLUMNS, "windows/s", "CPU ms per sample",
        "peak MB", "J per sample", "ended early",
    )  # fmt: skip
    chosen = (series for series in report.series if series.scenario not in ("live", "stage"))
    return markdown(columns, map(scenario_row, chosen))


def scenario_row(series: Series) -> list[str]:
    """Return the cells of a row of `scenarios_table`."""
    cpu_s = per_sample(series.cpu_s, series)
    return [
        series.scenario,
        series.operation,
        size_or_rate(series),
        series.candidate,
        f"{len(series.samples_ms):,}",
        *latency_cells(series),
        number(rows_per_s(series)) if series.scenario == "offline" else "",
        number(cpu_s * 1e3 if cpu_s is not None else None),
        number(series.peak_mb),
        number(per_sample(series.energy_j, series)),
        series.stop_reason or "",
    ]


def live_table(report: Report) -> Table:
    """Build a table of the live runs: a row per number of streams and candidate."""
    columns = (
        "streams", "candidate", "windows", "s", *LATENCY_COLUMNS, "dropped", "CPU s per s", "peak MB", "J per window",
        "ended early",
    )  # fmt: skip
    return markdown(columns, (live_row(series) for series in report.series if series.scenario == "live"))


def live_row(series: Series) -> list[str]:
    """Return the cells of a row of `live_table`."""
    seconds = series.duration_s
    return [
        f"{series.size}",
        series.candidate,
        f"{series.counts.get('windows', len(series.samples_ms)):,}",
        f"{seconds:.0f}" if seconds else "",
        *latency_cells(series),
        drop_counts(series),
        number(series.cpu_s / seconds if series.cpu_s is not None and seconds else None),
        number(series.peak_mb),
        number(per_sample(series.energy_j, series)),
        series.stop_reason or "",
    ]


def cpu_table(report: Report) -> Table:
    """Build a table of the CPU time of the live runs whose stages were measured."""
    columns = "streams", "candidate", "all", *CpuBreakdown._fields[2:], "rest", "framing and rest"
    rows = [
        (
            str(each.live.size),
            each.live.candidate,
            *(number(part) for part in each[1:]),
            number(each.rest),
            f"{each.overhead_share:.0%}" if each.overhead_share is not None else "",
        )
        for each in cpu_breakdowns(report)
    ]
    return markdown(columns, rows)


def stages_table(report: Report) -> Table:
    """Build a table with a row per stage, batch and candidate."""
    columns = (
        "operation", "rows", "candidate", "n", "median ms", "ms per row", "device ms", "CPU ms per row", "GFLOP/s",
        "roofline share", "ended early",
    )  # fmt: skip
    chosen = (series for series in report.series if series.scenario == "stage")
    return markdown(columns, (stage_row(series, report.roofline) for series in chosen))


def stage_row(series: Series, roofline: Roofline) -> list[str]:
    """Return the cells of a row of `stages_table`."""
    middle_ms, cpu_s = median_ms(series), per_sample(series.cpu_s, series)
    share = roofline_share(series, roofline)
    return [
        series.operation,
        f"{series.size}",
        series.candidate,
        f"{len(series.samples_ms):,}",
        number(middle_ms) or "-",
        number(middle_ms / series.size if middle_ms is not None else None),
        number(float(np.median(series.device_ms)) if series.device_ms else None),
        number(cpu_s * 1e3 / series.size if cpu_s is not None else None),
        number(gflops(series)),
        f"{share:.0%}" if share is not None else "",
        series.stop_reason or "",
    ]


def ratios_table(report: Report) -> Table:
    """Build a table of every candidate relative to the first, where both were measured; below 1 is faster."""
    columns = ("scenario", "operation", "size", "candidate", "ratio of medians", "95 % interval", "verdict")
    rows = []
    for series, ratio in compare_with_first(report):
        measured = series.scenario, series.operation, size_or_rate(series), series.candidate
        rows.append((*measured, *ratio_cells(ratio), verdict(ratio)))
    return markdown(columns, rows)


def naive_table(report: Report) -> Table:
    """Build a table of what encoding each frame once saves, and by how much its probabilities differ."""
    columns = ("candidate", "cached, CPU ms per window", "naive, CPU ms per window", "naive / cached", "95 % interval")
    rows = []
    for each in report.naive:
        cached, naive = (number(float(np.median(cpu_ms))) for cpu_ms in (each.cached_cpu_ms, each.naive_cpu_ms))
        ratio = ratio_cells(median_ratio(each.naive_cpu_ms, each.cached_cpu_ms, paired=True))
        rows.append((each.candidate, cached, naive, *ratio, f"{each.difference:.1e}"))
    return markdown((*columns, "largest difference"), rows)
