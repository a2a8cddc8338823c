"""Comparison of two benchmarks, before and after a change: other conditions, and ratios of the medians."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from ..errors import UsageError
from .figures import SeriesKey, drops, key, median_ms, sampled, verdict
from .report import Machine, Report, Series
from .statistics import median_ratio
from .table_format import drop_counts, markdown, number, precisions, ratio_cells

HARDWARE = ("cpu", "cores", "gpu", "governor", "power_mode")
"""Fields of a machine; figures of machines that differ in one do not compare."""
KEY_COLUMNS = ("scenario", "operation", "size", "candidate")


def compare(before: Report, after: Report) -> Iterator[str | Table]:
    """Yield lines and tables for a terminal or a README; UsageError where the reports have no series in common."""
    befores, afters = sampled(before), sampled(after)
    common = [each for each in befores if each in afters]
    if not common:
        raise UsageError(
            f"nothing in common: before has {summary(befores)}, after has {summary(afters)}; "
            "measure both with the same scenarios and candidates"
        )
    yield f"- before: {before.date}, commit {before.machine.commit or 'not known'}, `{before.command}`"
    yield f"- after: {after.date}, commit {after.machine.commit or 'not known'}, `{after.command}`"
    yield from warnings(before, after)
    yield from differences(before, after)
    yield ""
    yield "Medians, ms; a ratio below 1: faster after"
    yield medians_table({each: (befores[each], afters[each]) for each in common})
    live_before, live_after = live_series(before), live_series(after)
    dropped = drops_table({each: (live_before[each], live_after[each]) for each in live_before if each in live_after})
    if dropped.row_count:
        yield ""
        yield "Drops of the live runs"
        yield dropped
    for when, ours, theirs in (("before", befores, afters), ("after", afters, befores)):
        yield from (f"- only {when}: {', '.join(key_cells(each))}" for each in ours if each not in theirs)


def warnings(before: Report, after: Report) -> Iterator[str]:
    """Yield reasons to doubt the comparison, in capitals."""
    changed = list(changes(hardware(before.machine), hardware(after.machine)))
    if changed:
        yield f"- ANOTHER MACHINE: {'; '.join(changed)}. Figures of two machines do not compare."
    for when, report in (("before", before), ("after", after)):
        for warning in report.noise.warnings:
            yield f"- NOISY MACHINE {when}: {warning}"


def differences(before: Report, after: Report) -> Iterator[str]:
    """Yield the other conditions that differ: settings, versions, bundles."""
    for change in changes(settings(before), settings(after)):
        yield f"- other setting: {change}"
    for change in changes(before.machine.versions, after.machine.versions):
        yield f"- other version: {change}"
    bundles_before, bundles_after = bundles(before), bundles(after)
    for name in bundles_before:
        if name in bundles_after:
            for change in changes(bundles_before[name], bundles_after[name]):
                yield f"- other bundle: {name}: {change}"


def hardware(machine: Machine) -> dict[str, str]:
    """Return the hardware of a machine, by name."""
    return {name.replace("_", " "): f"{getattr(machine, name)}" for name in HARDWARE}


def settings(report: Report) -> dict[str, str]:
    """Return the recording, hop, window and operating system of a report, by name."""
    seconds = {"hop": f"{report.hop_s:g} s", "window": f"{report.window_s:g} s"}
    return {"recording": report.recording, **seconds, "system": report.machine.system}


def bundles(report: Report) -> dict[str, dict[str, str]]:
    """Return a description of each candidate's bundle and backend, by the candidate's name."""
    return {
        candidate.name: {
            "bundle": candidate.bundle,
            "manifest": candidate.manifest_sha256[:12],
            "precision": precisions(candidate.precision),
            "backend": candidate.backend,
        }
        for candidate in report.candidates
    }


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Yield every name whose value differs, with both values."""
    for name in {**before, **after}:
        old, new = before.get(name, "none"), after.get(name, "none")
        if old != new:
            yield f"{name} {old} before, {new} after"


def medians_table(pairs: Mapping[SeriesKey, tuple[Series, Series]]) -> Table:
    """Build a table of both medians, their ratio and what the ratio shows."""
    columns = (*KEY_COLUMNS, "n before", "n after", "before", "after", "after / before", "95 % interval", "verdict")
    rows = []
    for each, (old, new) in pairs.items():
        ratio = median_ratio(new.samples_ms, old.samples_ms)
        counts = f"{len(old.samples_ms):,}", f"{len(new.samples_ms):,}"
        medians = number(median_ms(old)), number(median_ms(new))
        rows.append((*key_cells(each), *counts, *medians, *ratio_cells(ratio), verdict(ratio)))
    return markdown(columns, rows)


def live_series(report: Report) -> dict[SeriesKey, Series]:
    """Return the live series by their keys, those without a single window included."""
    return {key(series): series for series in report.series if series.scenario == "live"}


def drops_table(pairs: Mapping[SeriesKey, tuple[Series, Series]]) -> Table:
    """Build a table of the live runs that dropped something before or after."""
    rows = [
        (*key_cells(each), drop_counts(old), drop_counts(new))
        for each, (old, new) in pairs.items()
        if drops(old) or drops(new)
    ]
    return markdown((*KEY_COLUMNS, "dropped before", "dropped after"), rows)


def key_cells(each: SeriesKey) -> tuple[str, str, str, str]:
    """Return the cells under `KEY_COLUMNS`."""
    return each.scenario, each.operation, str(each.size), each.candidate


def summary(series: Mapping[SeriesKey, Series]) -> str:
    """Return the scenarios and candidates of some series, for people."""
    scenarios = ", ".join(sorted({each.scenario for each in series})) or "no samples"
    candidates = ", ".join(sorted({each.candidate for each in series if each.candidate}))
    return f"{scenarios} ({candidates})" if candidates else scenarios
