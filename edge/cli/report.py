"""Command `foal-edge report`: one page of an annotation, which opens offline."""

from pathlib import Path

import click

from ..bench.plot_style import require_matplotlib
from ..errors import UsageError
from ..report.from_table import read_table
from ..report.page import make_page
from ..report.truth import judge, read_parts
from ..system.files import replacing
from .groups import Command, Examples
from .lines import print_line
from .options import PATH

EXAMPLES: Examples = (
    ("report tables/talk.emotions.csv", "Write tables/talk.emotions.html."),
    ("report tables/talk.emotions.csv --labels talk.csv -o talk.html", "Compare with labels of your own."),
)


@click.command("report", cls=Command, examples=EXAMPLES)
@click.argument("source", type=PATH, metavar="TABLE")
@click.option("-o", "--output", type=PATH, help="File of the page.  [default: that of TABLE, ending in .html]")
@click.option("--labels", type=PATH, help="CSV file with true labels: columns begin and end, in seconds, and label.")
def report_command(source: Path, output: Path | None, labels: Path | None) -> None:
    """Write one page of an annotation: time line, states, events, settings.

    TABLE is a CSV or JSON Lines file of `foal-edge annotate`. The page needs no network.
    """
    require_matplotlib()
    report = read_table(source)
    if labels is not None:
        parts = read_parts(labels)
        for section in report.sections:
            section.accuracy = judge(section.rows, parts, labels)
    path = output or source.with_suffix(".html")
    if path == source:
        raise UsageError(f"{path} is the table itself; give the page another name by -o")
    with replacing(path) as part:
        part.write_text(make_page(report), encoding="utf-8")
    print_line(str(path))
