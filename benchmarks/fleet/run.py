"""Ten nodes behind two proxies, phase by phase: what each phase does to one node, and what the healthy ones lose."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import quantiles

from edge.errors import FoalError
from edge.wire.control_client import ControlClient
from edge.wire.control_messages import AskStatus, NodeState, StatusReply
from edge.wire.page import table

from .listener import Arrival, Listener
from .network import Lines, can_move_clocks, in_hub

HEALTHY = [f"n{number}" for number in range(6)]
CUT, SLOW, LOUD, WRONG = "cut", "slow", "loud", "wrong"
NAMES = [*HEALTHY, CUT, SLOW, LOUD, WRONG]
RATE_HZ, LOUD_HZ = 10.0, 1000.0
"""Predictions a second of each node, and of one that floods the proxy."""
WRONG_UNIX_S, WRONG_MONO_S = 3.0, 100_000
"""Error of the clocks of one node, in seconds."""
PROXIES = {"A": 6000, "B": 6010}
"""Ports of the proxies."""
STOP_S = 10.0
LATE_S = 1.0
"""Delay from which on the messages of another node are told to be late."""


@dataclass(frozen=True)
class Row:
    """Figures of one phase."""

    phase: str
    healthy: int
    """Number of messages of the healthy nodes that came."""
    lost: int
    """Number of messages of the healthy nodes that never came to the subscriber of both proxies."""
    lost_by_one: int
    """The same of the subscriber of proxy A alone."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    """Delay of the healthy nodes' messages, from their publishing to a subscriber of both proxies."""
    others: str
    """Numbers of the other nodes' messages that came and did not."""


class Fleet:
    """Ten nodes and two proxies, as processes in networks of their own."""

    def __init__(self, opened: ExitStack) -> None:
        self.lines = Lines(NAMES)
        self.lines.lay(opened)
        opened.enter_context(in_hub())
        self._opened, self._processes = opened, dict[str, subprocess.Popen[bytes]]()
        for name in NAMES:
            self.start_node(name, RATE_HZ)
        for name in PROXIES:
            self.start_proxy(name)

    def _start(self, name: str, command: Sequence[str]) -> None:
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._processes[name] = process
        self._opened.callback(end, process)

    def start_node(self, name: str, rate_hz: float) -> None:
        """Start a node, with so many predictions a second."""
        address = f"tcp://{self.lines.address(name)}:5556"
        ahead = ["--unix-ahead", str(WRONG_UNIX_S)] if name == WRONG else []
        worker = [sys.executable, "-m", "benchmarks.fleet.node_worker", address, "--rate", str(rate_hz), *ahead]
        self._start(name, [*self.lines.inside(name), *moved(name), *worker])

    def flood(self, rate_hz: float) -> None:
        """Start the loud node anew, with so many predictions a second."""
        self.kill(LOUD)
        self.start_node(LOUD, rate_hz)

    def start_proxy(self, name: str) -> None:
        """Start a proxy of all nodes."""
        sources = [f"--from={node}=tcp://{self.lines.address(node)}:5556" for node in NAMES]
        bind = f"tcp://127.0.0.1:{PROXIES[name]}"
        self._start(name, [sys.executable, "-m", "edge", "proxy", *sources, "--bind", bind, "--quiet"])

    def kill(self, name: str) -> None:
        """Kill a process."""
        self._processes[name].kill()
        self._processes[name].wait()

    def stand_still(self, name: str, *, is_still: bool) -> None:
        """Stop a process, or let it go on."""
        self._processes[name].send_signal(signal.SIGSTOP if is_still else signal.SIGCONT)


def moved(name: str) -> list[str]:
    """Return what the command of a node begins with so that its CLOCK_MONOTONIC is wrong."""
    return ["unshare", "-T", "--monotonic", str(WRONG_MONO_S)] if name == WRONG and can_move_clocks() else []


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force if need be."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(phase_s: float, say: Callable[[str], None]) -> tuple[list[Row], list[NodeState]]:
    """Run all phases, each for so many seconds; return their figures, and what proxy B says of the nodes at the end."""
    with ExitStack() as opened:
        fleet = Fleet(opened)
        addresses = [f"tcp://127.0.0.1:{port}" for port in PROXIES.values()]
        both, one = Listener(addresses), Listener(addresses[:1])
        opened.callback(both.close)
        opened.callback(one.close)
        await_all(both)
        rows = []
        for name, begin, finish in phases(fleet):
            say(f"{name} ({phase_s:g} s)")
            before = both.missed(), one.missed(), len(both.arrivals)
            begin()
            time.sleep(phase_s)
            finish()
            time.sleep(phase_s)
            rows.append(row(name, both.arrivals[before[2] :], both.missed() - before[0], one.missed() - before[1]))
        return rows, ask(f"tcp://127.0.0.1:{PROXIES['B'] + 1}")


def phases(fleet: Fleet) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Return each phase with what begins it and what ends it."""
    lines = fleet.lines
    return [
        ("nothing befalls them", nothing, nothing),
        (f"{CUT} is cut off, and back", lambda: lines.cut(CUT, is_up=False), lambda: lines.cut(CUT, is_up=True)),
        (
            f"{SLOW} has a line of 48 kbit/s, and a whole one",
            lambda: lines.slow_down(SLOW),
            lambda: lines.speed_up(SLOW),
        ),
        (
            f"{CUT} stands still, and goes on",
            lambda: fleet.stand_still(CUT, is_still=True),
            lambda: fleet.stand_still(CUT, is_still=False),
        ),
        (f"{LOUD} sends {LOUD_HZ:g} a second", lambda: fleet.flood(LOUD_HZ), lambda: fleet.flood(RATE_HZ)),
        ("proxy A is killed, and started", lambda: fleet.kill("A"), lambda: fleet.start_proxy("A")),
    ]


def nothing() -> None:
    """Do nothing."""


def await_all(listener: Listener) -> None:
    """Wait until every node is heard, and its clocks are known."""
    until_s = time.monotonic() + 60
    while {arrival.node for arrival in listener.arrivals if arrival.delay_ms is not None} != set(NAMES):
        if time.monotonic() > until_s:
            raise FoalError("not all nodes are heard within 60 s; is the machine too busy?")
        time.sleep(0.1)


def row(phase: str, arrivals: Sequence[Arrival], missed: Counter[str], by_one: Counter[str]) -> Row:
    """Return the figures of a phase."""
    delays = sorted(each.delay_ms for each in arrivals if each.node in HEALTHY and each.delay_ms is not None)
    cuts = quantiles(delays, n=100, method="inclusive")
    came = Counter(arrival.node for arrival in arrivals)
    return Row(
        phase,
        sum(came[name] for name in HEALTHY),
        sum(missed[name] for name in HEALTHY),
        sum(by_one[name] for name in HEALTHY),
        cuts[49],
        cuts[98],
        delays[-1],
        "; ".join(others(arrivals, missed)) or "nothing lost or late",
    )


def others(arrivals: Sequence[Arrival], missed: Counter[str]) -> Iterator[str]:
    """Yield what became of the messages of each other node that lost some, or whose messages were late."""
    for name in NAMES:
        delays = [arrival.delay_ms or 0.0 for arrival in arrivals if arrival.node == name]
        latest_s = max(delays, default=0.0) / 1000
        if name not in HEALTHY and (missed[name] or latest_s > LATE_S):
            yield f"{name}: {len(delays)} came, {missed[name]} lost, the latest after {latest_s:.1f} s"


def ask(control: str) -> list[NodeState]:
    """Return what a proxy says of its nodes."""
    with ControlClient(control) as client:
        return client.ask(AskStatus(), StatusReply).nodes


def markdown(rows: Sequence[Row], states: Sequence[NodeState]) -> str:
    """Return the figures as two tables in Markdown."""
    heads = ("phase", "messages", "lost", "lost with A alone", "delay p50, ms", "p99", "largest", "other nodes")
    lines = [
        (
            each.phase,
            str(each.healthy),
            str(each.lost),
            str(each.lost_by_one),
            *(f"{value:.1f}" for value in (each.p50_ms, each.p99_ms, each.max_ms)),
            each.others,
        )
        for each in rows
    ]
    nodes = [
        (
            state.name,
            str(state.received),
            str(state.missed),
            f"{(state.unix_offset_ns or 0) / 1e9:+.6f}",
            f"{(state.mono_offset_ns or 0) / 1e9:+.6f}",
            f"{(state.uncertainty_ns or 0) / 1e6:.2f}",
            state.problem or "",
        )
        for state in states
    ]
    about = ("node", "forwarded", "missed", "Unix time off, s", "CLOCK_MONOTONIC off, s", "uncertainty, ms", "problem")
    return f"{table(heads, lines)}\n\n{table(about, nodes)}\n"
