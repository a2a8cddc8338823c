"""Commands of the capacity of nodes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from edge.bench import recording
from edge.cli.bench import FILE, parse_stream_counts
from edge.cli.options import Seconds
from edge.cli.terminal import complaints, console
from edge.clock import to_ns

from . import cost as costs
from . import fleet, measure, plot
from .cameras import Network
from .node import NodeSpec

MEASURED = Path(__file__).with_name("measured.json")
DEMO_S = 40.0
"""Length of the film that is made where none is given."""

cost_option = click.option(
    "--cost", "cost_file", type=FILE, default=MEASURED, help="Cost model of `measure`.  [default: that of the docs]"
)
film_option = click.option("--file", "film", type=FILE, help="Film with audio and video.  [default: the demo's]")


@click.group("capacity")
def capacity_group() -> None:
    """Simulate many cameras on many nodes through the runtime's own loop, with costs that were measured.

    \b
    Examples:
      python -m benchmarks capacity measure -o cost.json
      python -m benchmarks capacity check --cost cost.json --streams 12,32
      python -m benchmarks capacity simulate --cameras 1000 --nodes 20 --plot docs/capacity.png
    """


@capacity_group.command("measure")
@film_option
@click.option("-o", "--output", type=FILE, required=True, help="File of the cost model.")
def measure_command(film: Path | None, output: Path) -> None:
    """Measure the costs on this machine: the graphs by rows, a frame, and what twelve live streams take around them.

    \b
    Example:
      python -m benchmarks capacity measure -o cost.json
    """
    with film_or_demo(film) as given:
        fleet.write_cost(measure.measure(given), output)
    print_lines(output.read_text())


@capacity_group.command("check")
@cost_option
@film_option
@click.option("--streams", "counts", callback=parse_stream_counts, default="12,32", show_default=True, help="Numbers.")
@click.option("--seconds", type=Seconds(10, 600), default=24, show_default=True, help="Length of each run.")
def check_command(cost_file: Path, film: Path | None, counts: list[int], seconds: float) -> None:
    """Run real streams on this machine, and the same ones simulated.

    \b
    Example:
      python -m benchmarks capacity check --streams 12,32
    """
    with film_or_demo(film) as given:
        print_lines(fleet.check(costs.read(cost_file), given, counts, seconds))


@capacity_group.command("node")
@cost_option
@click.option(
    "--streams", "counts", callback=parse_stream_counts, default="1,8,16,32,48", show_default=True, help="Numbers."
)
@click.option("--seconds", type=Seconds(10, 3600), default=30, show_default=True, help="Simulated seconds.")
def node_command(cost_file: Path, counts: list[int], seconds: float) -> None:
    """Simulate one node by its number of streams.

    \b
    Example:
      python -m benchmarks capacity node --streams 1,12,32
    """
    base = NodeSpec(1, seconds, to_ns(0.5), Network(), seed=1)
    print_lines(fleet.capacity_table(costs.read(cost_file), counts, base))


@capacity_group.command("simulate")
@cost_option
@click.option("--cameras", type=click.IntRange(1), default=1000, show_default=True, help="Cameras of all nodes.")
@click.option("--nodes", type=click.IntRange(1), default=20, show_default=True, help="Nodes.")
@click.option("--cores", type=click.IntRange(1), help="Cores of each node.  [default: those of the cost model]")
@click.option("--hop", "hop_s", type=Seconds(0.05, 60), default=0.5, show_default=True, help="Seconds.")
@click.option("--auto-hop", is_flag=True, help="Lengthen the hop under load, as --hop auto.")
@click.option("--seconds", type=Seconds(10, 3600), default=30, show_default=True, help="Simulated seconds.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of everything that is drawn.")
@click.option("--plot", "picture", type=FILE, help="File of the figure, a PNG.")
def simulate_command(
    cost_file: Path,
    cameras: int,
    nodes: int,
    cores: int | None,
    hop_s: float,
    auto_hop: bool,
    seconds: float,
    seed: int,
    picture: Path | None,
) -> None:
    """Simulate cameras with bursts, losses and stragglers on nodes of which a tenth is slow.

    \b
    Example:
      python -m benchmarks capacity simulate --nodes 32 --plot capacity.png
    """
    cost = costs.read(cost_file)
    if cores:
        cost = costs.with_cores(cost, cores)
    base = NodeSpec(1, seconds, to_ns(hop_s), fleet.FIELD, seed, adapts=auto_hop)
    found = fleet.simulate(cost, cameras, nodes, base, lambda n: complaints.print(f"node {n + 1} of {nodes}"))
    print_lines(fleet.fleet_table(found))
    if picture:
        plot.draw(found, picture)


@contextmanager
def film_or_demo(film: Path | None) -> Iterator[Path]:
    """Give the film, or one of the demo's face that is removed again."""
    if film is not None:
        yield film
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "demo.mp4"
        recording.write(made, DEMO_S)
        yield made


def print_lines(text: str) -> None:
    """Print a text line by line, as the console prints a line at a time."""
    for line in text.splitlines():
        console.print(line)
