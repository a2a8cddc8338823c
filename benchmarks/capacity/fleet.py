"""A fleet of nodes, and real streams on this machine beside the same streams simulated."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from edge.bench.program import Program
from edge.bundle.load import SHIPPED, load
from edge.clock import SECOND_NS
from edge.wire.drop_reasons import OVERLOAD
from edge.wire.messages import Prediction, Stats
from edge.wire.page import table

from .cameras import Network
from .cost import CostModel
from .node import WARM_UP_S, NodeResult, NodeSpec, run_node

PERCENTILES = (50, 90, 99)
FIELD = Network(
    delay_ms=15.0, jitter_ms=5.0, loss=0.005, bursts_a_minute=2.0, burst_ms=1200.0, stragglers=0.02, has_phases=True
)
"""Network of cameras in a building: bursts, as on a switch or in a radio network that stands still for a moment."""
SLOW_NODES, SLOW_SPEED = 0.1, 0.6
"""Share of the nodes that are slower, and their speed: too warm, or shared with other work."""


@dataclass(frozen=True)
class Fleet:
    """Nodes with their results, in order."""

    specs: list[NodeSpec]
    results: list[NodeResult]

    @property
    def latencies_ms(self) -> list[float]:
        """Latencies of all windows."""
        return [each for result in self.results for each in result.latencies_ms]


def simulate(cost: CostModel, cameras: int, nodes: int, base: NodeSpec, on_node: Callable[[int], None]) -> Fleet:
    """Simulate cameras spread over nodes alike; of the nodes some are slow. `on_node` gets the number of each."""
    manifest, specs, results = load(SHIPPED).manifest, [], []
    slow = round(SLOW_NODES * nodes)
    for number in range(nodes):
        streams = cameras // nodes + (number < cameras % nodes)
        spec = replace(base, streams=streams, number=number, speed=SLOW_SPEED if number < slow else 1.0)
        specs.append(spec)
        results.append(run_node(spec, cost, manifest))
        on_node(number)
    return Fleet(specs, results)


def expected(spec: NodeSpec) -> int:
    """Return the number of windows that a node should have published after the warm-up."""
    return round(spec.streams * (spec.seconds - WARM_UP_S) * SECOND_NS / spec.hop_ns)


def percentiles(latencies_ms: Sequence[float]) -> list[str]:
    """Return the percentiles of latencies as text; empty ones have none."""
    return [f"{np.percentile(latencies_ms, each):.0f}" if latencies_ms else "-" for each in PERCENTILES]


def fleet_table(fleet: Fleet) -> str:
    """Return a Markdown table with a row for each kind of node."""
    rows = []
    for speed in sorted({spec.speed for spec in fleet.specs}, reverse=True):
        of = [(spec, result) for spec, result in zip(fleet.specs, fleet.results, strict=True) if spec.speed == speed]
        latencies = [each for _, result in of for each in result.latencies_ms]
        lost = 1 - len(latencies) / sum(expected(spec) for spec, _ in of)
        dropped = sum((result.dropped for _, result in of), Counter[str]())
        rows.append(
            [
                f"{len(of)} at {speed:g}",
                str(of[0][0].streams),
                *percentiles(latencies),
                f"{100 * max(0.0, lost):.1f}",
                f"{sum(dropped[reason] for reason in OVERLOAD):,}",
                f"{np.mean([result.busy for _, result in of]):.2f}",
                f"{np.mean([result.hop_s for _, result in of]):.2f}",
            ]
        )
    heads = ["nodes at speed", "streams each", *(f"p{each} ms" for each in PERCENTILES), "windows missing, %"]
    return table([*heads, "dropped for overload", "busy", "hop s"], rows)


def capacity_table(cost: CostModel, counts: Sequence[int], base: NodeSpec) -> str:
    """Return a Markdown table of one node by its number of streams, each a recording played there."""
    rows = []
    for streams in counts:
        spec = replace(base, streams=streams, network=Network())
        result = run_node(spec, cost)
        missing = 100 * max(0.0, 1 - len(result.latencies_ms) / expected(spec))
        rows.append([str(streams), *percentiles(result.latencies_ms), f"{missing:.1f}", f"{result.busy:.2f}"])
    heads = ["streams", *(f"p{each} ms" for each in PERCENTILES), "windows missing, %", "loop busy"]
    return table(heads, rows)


def run_really(film: Path, streams: int, seconds: float) -> tuple[list[float], dict[str, int]]:
    """Return the latencies of real streams after the warm-up, in ms, and what they have dropped."""
    arguments = [word for n in range(streams) for word in ("--stream", f"name=s{n},file={film},loop=true")]
    latencies_ms: list[float] = []
    dropped: dict[str, int] = {}
    began_ns = None
    with Program(["--backend", "onnxruntime", *arguments]) as program:
        while not program.has_ended():
            message = program.messages.receive(1.0)
            if isinstance(message, Stats):
                dropped = message.dropped
            elif isinstance(message, Prediction):
                began_ns = began_ns or message.mono_publish
                past_s = (message.mono_publish - began_ns) / SECOND_NS
                if past_s > seconds:
                    break
                if past_s > WARM_UP_S:
                    latencies_ms.append(message.latency_ms.total)
    return latencies_ms, {reason: count for reason, count in dropped.items() if count}


def check(cost: CostModel, film: Path, counts: Sequence[int], seconds: float) -> str:
    """Return a Markdown table of real streams on this machine beside the same streams simulated."""
    rows = []
    for streams in counts:
        really, dropped = run_really(film, streams, seconds)
        base = NodeSpec(streams, seconds, SECOND_NS // 2, Network(), seed=1)
        simulated = run_node(base, cost)
        rows.append([str(streams), "real", *percentiles(really), str(len(really)), str(sum(dropped.values()))])
        figures = percentiles(simulated.latencies_ms)
        lost = sum(simulated.dropped.values())
        rows.append([str(streams), "simulated", *figures, str(len(simulated.latencies_ms)), str(lost)])
    return table(["streams", "", *(f"p{each} ms" for each in PERCENTILES), "windows", "dropped"], rows)


def write_cost(cost: CostModel, path: Path) -> None:
    """Write a cost model into a JSON file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(cost), indent=1) + b"\n")
