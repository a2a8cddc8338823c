"""A benchmark as a person reads it: what was measured on, then tables in Markdown, to be pasted into a README.

The tables are as wide as their cells: they are for a console that wraps softly.
"""

from collections.abc import Iterator

import numpy as np
from rich.table import Table

from .cpu_breakdown import Budget, budgets
from .figures import against_first, gflops, median_ms, of_a_sample, roof_share, rows_per_s, verdict
from .report import Document, Machine, Noise, Roof, Series
from .statistics import drift, median_ratio, spread
from .table_format import LATENCIES, dropped, latencies, markdown, number, precisions, ratio_cells, size_or_rate


def tables(document: Document) -> Iterator[str | Table]:
    """Everything that the document says, for a terminal or a README."""
    yield from headlines(document)
    parts = {
        "Contenders": contenders_table(document),
        "Scenarios, ms": scenarios_table(document),
        "Live, ms from capture to publish": live_table(document),
        "CPU time of a live stream, ms a second": budgets_table(document),
        "Stages": stages_table(document),
        f"Time against {document.contenders[0].name if document.contenders else 'the first'}": ratios_table(document),
        "Each frame encoded once, against every frame of every window again": naive_table(document),
    }
    for title, table in parts.items():
        if table.row_count:
            yield ""
            yield title
            yield table


def headlines(document: Document) -> Iterator[str]:
    """When, on what and how steadily it was measured."""
    yield f"- measured: {document.date}, `{document.command}`"
    yield from machine_lines(document.machine)
    yield f"- played: {document.recording}, hop {document.hop_s:g} s, window {document.window_s:g} s"
    yield from noise_lines(document.noise)
    yield roof_line(document.roof)
    yield f"- energy: {document.energy or 'not told by this platform'}"
    for part in document.failed:
        yield f"- FAILED: {part}"


def machine_lines(machine: Machine) -> Iterator[str]:
    """Hardware, its clocks where the platform tells, and versions."""
    memory = f"{machine.memory_mb / 1024:.1f} GiB"
    yield f"- machine: {machine.cpu}, {machine.cores} cores, {memory}, {machine.gpu or 'no GPU'}, {machine.system}"
    state = [f"{min(machine.clocks_mhz):.0f} to {max(machine.clocks_mhz):.0f} MHz"] if machine.clocks_mhz else []
    state += [f"governor {machine.governor}"] if machine.governor is not None else []
    state += [f"power mode {machine.power_mode}"] if machine.power_mode is not None else []
    state += [f"{machine.temperature_c:.0f} °C"] if machine.temperature_c is not None else []
    yield f"- clocks: {', '.join(state) or 'not told by this platform'}"
    versions = [f"{name} {version}" for name, version in machine.versions.items()]
    versions += [f"commit {machine.commit}"] if machine.commit is not None else []
    yield f"- versions: {', '.join(versions) or 'not known'}"


def noise_lines(noise: Noise) -> Iterator[str]:
    """How steady the machine was, and every complaint, loud."""
    figures = [f"{noise.stolen:.1%} of the CPU time stolen", f"{noise.others:.1%} taken by others"]
    if noise.work_ms:
        figures.append(f"the same work {number(float(np.median(noise.work_ms)))} ms")
        figures += [f"p90 {spread(noise.work_ms):+.0%}", f"last third {drift(noise.work_ms):+.1%}"]
    yield f"- noise: {', '.join(figures)}"
    for complaint in noise.complaints:
        yield f"- NOISY MACHINE: {complaint}"


def roof_line(roof: Roof) -> str:
    """What the machine does at best."""
    return f"- at best: {number(roof.gemm_gflops)} GFLOP/s in float32, {number(roof.copy_gbps)} GB/s copied"


def contenders_table(document: Document) -> Table:
    """A row each: what runs on what, and how far its golden outputs are off."""
    columns = ("contender", "bundle", "manifest", "precision", "about", "share of golden tolerance")
    return markdown(
        columns,
        (
            (c.name, c.bundle, c.manifest_sha256[:12], precisions(c.precision), c.about, number(c.difference))
            for c in document.contenders
        ),
    )


def scenarios_table(document: Document) -> Table:
    """Everything but the live runs and the stages."""
    columns = (
        "scenario",
        "what",
        "size",
        "contender",
        "n",
        *LATENCIES,
        "windows/s",
        "CPU ms a sample",
        "peak MB",
        "J a sample",
        "ended early",
    )
    chosen = (series for series in document.series if series.scenario not in ("live", "stage"))
    return markdown(columns, map(scenario_row, chosen))


def scenario_row(series: Series) -> list[str]:
    """As `scenarios_table` heads it."""
    cpu_s = of_a_sample(series.cpu_s, series)
    return [
        series.scenario,
        series.what,
        size_or_rate(series.size, series.rate),
        series.contender,
        f"{len(series.samples_ms):,}",
        *latencies(series),
        number(rows_per_s(series)) if series.scenario == "offline" else "",
        number(cpu_s * 1e3 if cpu_s is not None else None),
        number(series.peak_mb),
        number(of_a_sample(series.energy_j, series)),
        series.stopped or "",
    ]


def live_table(document: Document) -> Table:
    """A row for each number of streams and contender."""
    columns = (
        "streams",
        "contender",
        "windows",
        "s",
        *LATENCIES,
        "dropped",
        "CPU s a second",
        "peak MB",
        "J a window",
        "ended early",
    )
    return markdown(columns, (live_row(series) for series in document.series if series.scenario == "live"))


def live_row(series: Series) -> list[str]:
    """As `live_table` heads it."""
    seconds = series.lasted_s
    return [
        f"{series.size}",
        series.contender,
        f"{series.counts.get('windows', len(series.samples_ms)):,}",
        f"{seconds:.0f}" if seconds else "",
        *latencies(series),
        dropped(series),
        number(series.cpu_s / seconds if series.cpu_s is not None and seconds else None),
        number(series.peak_mb),
        number(of_a_sample(series.energy_j, series)),
        series.stopped or "",
    ]


def budgets_table(document: Document) -> Table:
    """A row for each live run whose stages were measured."""
    columns = "streams", "contender", "all", *Budget._fields[2:], "rest", "framing and rest"
    rows = [
        (
            str(each.live.size),
            each.live.contender,
            *(number(part) for part in each[1:]),
            number(each.rest),
            f"{each.own:.0%}" if each.own is not None else "",
        )
        for each in budgets(document)
    ]
    return markdown(columns, rows)


def stages_table(document: Document) -> Table:
    """A row for each stage, batch and contender."""
    columns = (
        "what",
        "rows",
        "contender",
        "n",
        "median ms",
        "ms a row",
        "device ms",
        "CPU ms a row",
        "GFLOP/s",
        "share of the roof",
        "ended early",
    )
    chosen = (series for series in document.series if series.scenario == "stage")
    return markdown(columns, (stage_row(series, document.roof) for series in chosen))


def stage_row(series: Series, roof: Roof) -> list[str]:
    """As `stages_table` heads it."""
    middle_ms, cpu_s = median_ms(series), of_a_sample(series.cpu_s, series)
    share = roof_share(series, roof)
    return [
        series.what,
        f"{series.size}",
        series.contender,
        f"{len(series.samples_ms):,}",
        number(middle_ms) or "-",
        number(middle_ms / series.size if middle_ms is not None else None),
        number(float(np.median(series.device_ms)) if series.device_ms else None),
        number(cpu_s * 1e3 / series.size if cpu_s is not None else None),
        number(gflops(series)),
        f"{share:.0%}" if share is not None else "",
        series.stopped or "",
    ]


def ratios_table(document: Document) -> Table:
    """Every contender against the first, where both were measured; below 1 is quicker."""
    columns = ("scenario", "what", "size", "contender", "ratio of medians", "95 % interval", "verdict")
    rows = []
    for series, ratio in against_first(document):
        size = size_or_rate(series.size, series.rate)
        rows.append((series.scenario, series.what, size, series.contender, *ratio_cells(ratio), verdict(ratio)))
    return markdown(columns, rows)


def naive_table(document: Document) -> Table:
    """What encoding each frame once saves, and how far its probabilities are off."""
    columns = ("contender", "once, CPU ms a window", "again, CPU ms a window", "again / once", "95 % interval")
    rows = []
    for naive in document.naive:
        once, again = (float(np.median(taken)) for taken in (naive.once_cpu_ms, naive.again_cpu_ms))
        ratio = ratio_cells(median_ratio(naive.again_cpu_ms, naive.once_cpu_ms, paired=True))
        rows.append((naive.contender, number(once), number(again), *ratio, f"{naive.difference:.1e}"))
    return markdown((*columns, "largest difference"), rows)
