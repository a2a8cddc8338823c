"""Two benchmarks, before and after a change: what differs of what was measured, and what got quicker or slower."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from ..errors import UsageError
from .figures import Key, drops, key, measured, median_ms, verdict
from .report import Document, Machine, Series
from .statistics import median_ratio
from .table_format import dropped, markdown, number, precisions, ratio_cells

HARDWARE = ("cpu", "cores", "gpu", "governor", "power_mode")
"""With another of these, figures do not compare."""
SERIES = ("scenario", "what", "size", "contender")


def compare(before: Document, after: Document) -> Iterator[str | Table]:
    """For a terminal or a README; UsageError where the two have no series in common."""
    befores, afters = measured(before), measured(after)
    common = [each for each in befores if each in afters]
    if not common:
        raise UsageError(
            f"nothing in common: before has {named(befores)}, after has {named(afters)}; "
            "measure both with the same scenarios and contenders"
        )
    yield f"- before: {before.date}, commit {before.machine.commit or 'not known'}, `{before.command}`"
    yield f"- after: {after.date}, commit {after.machine.commit or 'not known'}, `{after.command}`"
    yield from warnings(before, after)
    yield from differences(before, after)
    yield ""
    yield "Medians, ms; a ratio below 1 is quicker after"
    yield medians_table({each: (befores[each], afters[each]) for each in common})
    drops_before, drops_after = live(before), live(after)
    losses = drops_table(
        {each: (drops_before[each], drops_after[each]) for each in drops_before if each in drops_after}
    )
    if losses.row_count:
        yield ""
        yield "Drops of the live runs"
        yield losses
    for when, ours, theirs in (("before", befores, afters), ("after", afters, befores)):
        yield from (f"- only {when}: {', '.join(cells(each))}" for each in ours if each not in theirs)


def warnings(before: Document, after: Document) -> Iterator[str]:
    """What makes the comparison doubtful, loud."""
    hardware = list(changes(parts(before.machine), parts(after.machine)))
    if hardware:
        yield f"- ANOTHER MACHINE: {'; '.join(hardware)}. Figures of two machines do not compare."
    for when, document in (("before", before), ("after", after)):
        for complaint in document.noise.complaints:
            yield f"- NOISY MACHINE {when}: {complaint}"


def differences(before: Document, after: Document) -> Iterator[str]:
    """What else differs of what was measured: played, software, bundles."""
    for change in changes(setting(before), setting(after)):
        yield f"- other setting: {change}"
    for change in changes(before.machine.versions, after.machine.versions):
        yield f"- other version: {change}"
    contenders_before, contenders_after = bundles(before), bundles(after)
    for name in contenders_before:
        if name in contenders_after:
            for change in changes(contenders_before[name], contenders_after[name]):
                yield f"- other bundle: {name}: {change}"


def parts(machine: Machine) -> dict[str, str]:
    """The hardware."""
    return {name.replace("_", " "): f"{getattr(machine, name)}" for name in HARDWARE}


def setting(document: Document) -> dict[str, str]:
    """What was played, how, and under which system."""
    seconds = {"hop": f"{document.hop_s:g} s", "window": f"{document.window_s:g} s"}
    return {"recording": document.recording, **seconds, "system": document.machine.system}


def bundles(document: Document) -> dict[str, dict[str, str]]:
    """What each contender runs, by its name."""
    return {
        contender.name: {
            "bundle": contender.bundle,
            "manifest": contender.manifest_sha256[:12],
            "precision": precisions(contender.precision),
            "backend": contender.backend,
        }
        for contender in document.contenders
    }


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Every name whose value is not the same in both."""
    for name in {**before, **after}:
        old, new = before.get(name, "none"), after.get(name, "none")
        if old != new:
            yield f"{name} {old} before, {new} after"


def medians_table(pairs: Mapping[Key, tuple[Series, Series]]) -> Table:
    """A row each: both medians, their ratio and what it shows."""
    columns = (*SERIES, "n before", "n after", "before", "after", "after / before", "95 % interval", "verdict")
    rows = []
    for each, (old, new) in pairs.items():
        ratio = median_ratio(new.samples_ms, old.samples_ms)
        counts = f"{len(old.samples_ms):,}", f"{len(new.samples_ms):,}"
        medians = number(median_ms(old)), number(median_ms(new))
        rows.append((*cells(each), *counts, *medians, *ratio_cells(ratio), verdict(ratio)))
    return markdown(columns, rows)


def live(document: Document) -> dict[Key, Series]:
    """The live series, those without a single window as well."""
    return {key(series): series for series in document.series if series.scenario == "live"}


def drops_table(pairs: Mapping[Key, tuple[Series, Series]]) -> Table:
    """A row for each live run that dropped something before or after."""
    rows = [
        (*cells(each), dropped(old), dropped(new)) for each, (old, new) in pairs.items() if drops(old) or drops(new)
    ]
    return markdown((*SERIES, "dropped before", "dropped after"), rows)


def cells(measures: Key) -> tuple[str, str, str, str]:
    """As `SERIES` heads them."""
    return measures.scenario, measures.what, str(measures.size), measures.contender


def named(series: Mapping[Key, Series]) -> str:
    """Scenarios and contenders, for people."""
    scenarios = ", ".join(sorted({each.scenario for each in series})) or "no samples"
    contenders = ", ".join(sorted({each.contender for each in series if each.contender}))
    return f"{scenarios} ({contenders})" if contenders else scenarios
