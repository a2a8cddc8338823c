"""Page of a report: HTML with everything inside, which loads nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ..system.printable import visible
from .contents import Report, Section
from .plots import latency_plot, percentiles, timeline_plot, to_svg

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; margin: .5rem 0; } caption { text-align: left; font-weight: 600; }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
figure { margin: 1rem 0; background: white; border-radius: 6px; overflow-x: auto; }
figure svg { display: block; } figure.fits svg { width: 100%; height: auto; }
.warning { border-left: 4px solid #D55E00; padding-left: .7rem; }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{style}</style></head>
<body>
{body}
</body>
</html>
"""
CAVEAT = (
    "A prediction says how a voice and a face appear to others. It does not say what a person feels, and it is often "
    "wrong: do not decide anything about a person by it."
)
SHARES = (50, 90, 99)
"""Percentiles of latencies."""
FITTING_S = 500
"""Length of a time line that fits the page; a longer one is scrolled."""


def make_page(report: Report) -> str:
    """Return the page as HTML."""
    parts = [f"<h1>{text(report.title)}</h1>", f"<p>{CAVEAT}</p>"]
    parts += [f'<p class="warning">{text(note)}</p>' for note in report.notes]
    for number, section in enumerate(report.sections):
        parts += describe_section(section, number)
    for title, values in (("Settings", report.settings), ("Versions", report.versions)):
        if values:
            parts += [f"<h2>{title}</h2>", table(("", ""), values.items())]
    return PAGE.format(title=text(report.title), style=STYLE, body="\n".join(parts))


def describe_section(section: Section, number: int) -> Iterator[str]:
    """Yield the parts of the page about one stream."""
    yield f"<h2>{text(section.name)}</h2>"
    yield f"<p>{len(section.rows)} windows from {section.begin_s:.1f} s to {section.end_s:.1f} s</p>"
    fits = section.end_s - section.begin_s <= FITTING_S
    yield figure(to_svg(timeline_plot(section), f"timeline {number}"), "Time line", fits=fits)
    yield table(("Steady label", "seconds", "share", "times"), shares_of(section), "Time by steady label")
    yield table(("State", "audio", "video"), states_of(section), "Windows by state")
    events = [
        (f"{begin / 1000:.1f} s", label, f"{(end - begin) / 1000:.1f} s") for begin, end, label in section.steady()
    ]
    yield table(("From", "steady label", "for"), events, "Events")
    if section.accuracy is not None:
        yield from describe_accuracy(section)
    if section.latencies:
        yield figure(to_svg(latency_plot(section), f"latency {number}"), "Latency by stage over time", fits=True)
        rows = ((name, *(f"{value:.1f}" for value in values)) for name, values in percentiles(section, SHARES))
        yield table(("ms", *(f"p{share}" for share in SHARES)), rows, "Latency")
    if dropped := {reason: count for reason, count in section.dropped.items() if count}:
        yield table(("Reason", "number"), dropped.items(), "Dropped")


def describe_accuracy(section: Section) -> Iterator[str]:
    """Yield the figures and the confusion of a stream whose labels are given."""
    accuracy = section.accuracy
    assert accuracy is not None
    yield (
        f"<p>{accuracy.count} windows are labelled: UA {accuracy.ua:.1%} (mean of the recalls), "
        f"WA {accuracy.wa:.1%} (share that is right), calibration error {accuracy.ece:.1%}</p>"
    )
    rows = ((label, *counts) for label, counts in zip(section.labels, accuracy.confusion, strict=True))
    yield table(("truth \\ predicted", *section.labels), rows, "Confusion")


def shares_of(section: Section) -> Iterator[tuple[object, ...]]:
    """Yield each steady label with its time, its share and how often it came."""
    found = section.steady()
    total_ms = sum(end - begin for begin, end, _ in found)
    for label in dict.fromkeys(label for _, _, label in found):
        spans = [end - begin for begin, end, name in found if name == label]
        yield label, f"{sum(spans) / 1000:.1f}", f"{sum(spans) / total_ms:.0%}", len(spans)


def states_of(section: Section) -> Iterator[tuple[object, ...]]:
    """Yield each state of audio and video with the number of windows in it."""
    audio, video = (Counter(getattr(row, name) for row in section.rows) for name in ("audio", "video"))
    for state in dict.fromkeys([*audio, *video]):
        yield state, audio[state], video[state]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Return a table; heads that are all empty are left out."""
    lines = [f"<caption>{text(caption)}</caption>"] if caption else []
    if any(heads):
        lines.append("<tr>" + "".join(f'<th scope="col">{text(head)}</th>' for head in heads) + "</tr>")
    lines += ["<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def figure(svg: str, title: str, *, fits: bool) -> str:
    """Return a figure with a name for those who do not see it."""
    named = svg.replace("<svg", f'<svg role="img" aria-label="{text(title)}"', 1)
    return f"<figure{' class=fits' if fits else ''}>{named}</figure>"


def text(value: object) -> str:
    """Return a value as text of HTML."""
    return escape(visible(str(value)))
