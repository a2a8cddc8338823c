"""Command `foal-edge report`: one page of an annotation or a recorded run, which opens offline."""

from pathlib import Path

import click

from ..annotation.collection import MARK, is_recording
from ..bench.plot_style import require_matplotlib
from ..errors import UsageError
from ..report.from_recording import read_recording
from ..report.from_table import read_table
from ..report.page import make_page
from ..report.truth import judge, read_parts
from ..system.files import replacing
from .groups import Command, Examples
from .lines import print_line
from .options import PATH

EXAMPLES: Examples = (
    ("report tables/talk.emotions.csv", "Write tables/talk.emotions.html."),
    ("report kept/RUN -o run.html", "Write a page of a run that was recorded, with its latencies."),
    ("report tables/talk.emotions.csv --labels talk.csv -o talk.html", "Compare with labels of your own."),
)


@click.command("report", cls=Command, examples=EXAMPLES)
@click.argument("source", type=PATH, metavar="TABLE|RECORDING")
@click.option("-o", "--output", type=PATH, help="File of the page.  [default: beside it, ending in .html]")
@click.option("--labels", type=PATH, help="CSV file with true labels: columns begin and end, in seconds, and label.")
def report_command(source: Path, output: Path | None, labels: Path | None) -> None:
    """Write one page of an annotation or a recording: time line, states, events, settings.

    TABLE is a CSV or JSON Lines file of `foal-edge annotate`, RECORDING what --record has written. The page needs no
    network.
    """
    require_matplotlib()
    check_source(source)
    is_run = source.is_dir() or source.suffix == ".mcap"
    report = read_recording(source) if is_run else read_table(source)
    if labels is not None:
        if len(report.sections) > 1:
            raise UsageError(f"--labels are of one stream, {source} has {len(report.sections)}; record it alone")
        parts = read_parts(labels)
        for section in report.sections:
            section.accuracy = judge(section.rows, parts, labels)
    path = output or source.with_name(f"{source.stem if source.is_file() else source.resolve().name}.html")
    if path == source:
        raise UsageError(f"{path} is what it is made of; give the page another name by -o")
    with replacing(path) as part:
        part.write_text(make_page(report), encoding="utf-8")
    print_line(str(path))


def check_source(source: Path) -> None:
    """Raise UsageError where the film is given in place of its table, or the folder in place of one of its tables."""
    if is_recording(source):
        raise UsageError(f"{source} is to be annotated first: foal-edge annotate {source} -o OUT; then give its table")
    if tables := sorted(source.glob(f"*{MARK}.csv")):
        raise UsageError(f"{source} is a folder of tables; give one of them, e.g. {tables[0]}")
