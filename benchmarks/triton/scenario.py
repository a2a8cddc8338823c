"""Two nodes of many streams each on one server: what every stream publishes while something happens to it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge.bench.program import Program
from edge.bundle.load import SHIPPED, load
from edge.errors import FoalError
from edge.wire.drop_reasons import DROP_REASONS, WINDOWS_LATE, WINDOWS_UNANSWERED
from edge.wire.messages import Prediction, Status
from export.model_repository import write

from .serving import TritonServer

NODES = ("a", "b")
REASONS = [reason for reason in DROP_REASONS if reason.startswith("windows_")]
"""Reasons for which a window that is due is not published."""
FIRST_S = 90.0
"""Longest wait for the first prediction of every stream."""
RETURN_S = 60.0
"""Longest wait for a prediction of every stream once the server is back."""
SLOW_HOPS = 0.75
"""Delay of a slow server's batches, in hops: more than the half for which a node waits."""


@dataclass(frozen=True)
class Ways:
    """Ways in which the nodes use the server."""

    shares_memory: bool
    falls_back: bool

    def options(self, address: str) -> list[str]:
        """Return the options of a node."""
        backend = f"{address}?memory=shared" if self.shares_memory else address
        return ["--backend", backend, "--fallback", "local" if self.falls_back else "none"]


@dataclass
class Node:
    """One foal-edge, with what its streams published and dropped."""

    name: str
    program: Program
    streams: int
    predictions: list[Prediction] = field(default_factory=list)
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    """Drops of each stream since its start, by reason."""

    def take(self, timeout_s: float) -> None:
        """Take the messages that have come, waiting for the first one."""
        message = self.program.messages.receive(timeout_s)
        while message is not None:
            if isinstance(message, Prediction):
                self.predictions.append(message)
            if isinstance(message, Prediction | Status):
                self.dropped[message.stream] = message.dropped
            message = self.program.messages.receive(0)
        self.program.has_ended()

    def total(self, reason: str) -> int:
        """Return what all streams have dropped for a reason."""
        return sum(dropped[reason] for dropped in self.dropped.values())


@dataclass(frozen=True)
class Figures:
    """Figures of one node in one part of the scenario."""

    part: str
    node: str
    seconds: float
    published: list[int]
    """Windows that each stream published."""
    dropped: dict[str, int]
    """Drops of all streams, by reason."""
    latencies_ms: list[float]
    cpu_s: float
    """CPU time of the node."""
    backends: list[str]
    """Names of the backends that computed."""


def share(
    film: Path, streams: int, hop_s: float, seconds: float, scratch: Path, ways: Ways, tell: Callable[[str], None]
) -> Iterator[Figures]:
    """Run the scenario and yield the figures of each part and node.

    FoalError where a stream does not begin, or does not come back.
    """
    write(load(SHIPPED), scratch / "models", "onnx", hop_s, lambda _: None, lambda _: b"")
    with ExitStack() as stack:
        server = stack.enter_context(TritonServer(scratch / "models", scratch))
        tell("the server is ready")
        nodes = [start(stack, name, film, streams, hop_s, ways.options(server.address)) for name in NODES]
        wait_for_all(nodes, FIRST_S)
        watch(nodes, 7.0)  # until windows are whole
        tell("all streams have begun")
        yield from part("both nodes", nodes, seconds, lambda: None)
        yield from part("server restarted", nodes, 0, lambda: restart(server, nodes))
        yield from part("after it", nodes, seconds, lambda: None)
        yield from part("server slow", nodes, seconds, lambda: server.set_delay(SLOW_HOPS * hop_s))
        yield from part("quick again", nodes, 0, lambda: relieve(server, nodes))
        yield from part("after it", nodes, seconds, lambda: None)
        nodes[1].program.kill()
        yield from part(f"node {NODES[1]} killed", nodes[:1], seconds, lambda: None)


def start(stack: ExitStack, name: str, film: Path, streams: int, hop_s: float, options: Sequence[str]) -> Node:
    """Start a node whose streams play a film again and again."""
    named = [text for number in range(streams) for text in ("--stream", f"name={name}{number},file={film},loop=true")]
    return Node(name, stack.enter_context(Program([*named, "--hop", f"{hop_s:g}", *options])), streams)


def part(name: str, nodes: Sequence[Node], seconds: float, begin: Callable[[], None]) -> Iterator[Figures]:
    """Yield the figures of each node from `begin` on, for so many seconds after it."""
    before = [({reason: node.total(reason) for reason in REASONS}, node.program.cpu_s()) for node in nodes]
    for node in nodes:
        node.predictions.clear()
    began_s = time.monotonic()
    begin()
    watch(nodes, seconds)
    took_s = time.monotonic() - began_s
    for node, (counted, cpu_s) in zip(nodes, before, strict=True):
        published = [sum(each.stream == stream for each in node.predictions) for stream in sorted(node.dropped)]
        yield Figures(
            name,
            node.name,
            took_s,
            published,
            {reason: node.total(reason) - counted[reason] for reason in REASONS},
            [each.latency_ms.total for each in node.predictions],
            node.program.cpu_s() - cpu_s,
            sorted({each.backend for each in node.predictions}),
        )


def watch(nodes: Sequence[Node], seconds: float) -> None:
    """Take what the nodes publish for so long."""
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        for node in nodes:
            node.take(0.05)


def wait_for_all(nodes: Sequence[Node], timeout_s: float) -> None:
    """Take what the nodes publish until each stream has predicted; FoalError where one does not in time."""
    ends_s = time.monotonic() + timeout_s
    for node in nodes:
        node.predictions.clear()
    while any(len({each.stream for each in node.predictions}) < node.streams for node in nodes):
        if time.monotonic() > ends_s:
            raise FoalError(f"not every stream has predicted within {timeout_s:g} s")
        watch(nodes, 0.1)


def restart(server: TritonServer, nodes: Sequence[Node]) -> None:
    """Stop the server, start it again, and wait until each stream predicts again."""
    server.stop()
    watch(nodes, 2.0)
    server.start()
    come_back(nodes)


def relieve(server: TritonServer, nodes: Sequence[Node]) -> None:
    """Let the server be as quick as it was, and wait until each stream predicts again."""
    server.set_delay(0)
    come_back(nodes)


def come_back(nodes: Sequence[Node]) -> None:
    """Take what the nodes have published, then wait until each stream predicts again."""
    kept = [list(node.predictions) for node in nodes]
    wait_for_all(nodes, RETURN_S)
    for node, earlier in zip(nodes, kept, strict=True):
        node.predictions[:0] = earlier


def markdown(figures: Sequence[Figures], hop_s: float) -> str:
    """Return the figures as a table."""
    lines = [
        "| part | node | s | due a stream | published | unanswered | late | other | p50, p99 ms | CPU, ms/s | by |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in figures:
        p50, p99 = np.percentile(each.latencies_ms, [50, 99]) if each.latencies_ms else (float("nan"), float("nan"))
        cells = (
            each.part,
            each.node,
            f"{each.seconds:.1f}",
            f"{each.seconds / hop_s:.0f}",
            f"{min(each.published, default=0)}, {max(each.published, default=0)}",
            str(each.dropped[WINDOWS_UNANSWERED]),
            str(each.dropped[WINDOWS_LATE]),
            str(sum(each.dropped[reason] for reason in REASONS if reason not in (WINDOWS_UNANSWERED, WINDOWS_LATE))),
            f"{p50:.0f}, {p99:.0f}",
            f"{each.cpu_s * 1e3 / each.seconds / max(1, len(each.published)):.0f}",
            " ".join(each.backends),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
