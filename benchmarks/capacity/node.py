"""One node: the runtime's own loop, inbox, streams and recognizer on simulated time."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from edge.bundle.load import SHIPPED, load
from edge.bundle.manifest import Manifest
from edge.clock import SECOND_NS
from edge.live.hop_control import HopControl
from edge.live.inbox import Inbox, LoopInput
from edge.live.loop import run_live
from edge.live.pipeline import RunSpec, StreamSpec, build_pipeline
from edge.live.recognizer import Recognizer
from edge.live.stagger import delays_ns
from edge.live.steady_state_config import SteadyStateConfig
from edge.live.supervision import Supervisor
from edge.live.suspension import TICK_S, SuspensionWatch
from edge.preprocess.media import Media
from edge.service.systemd import SystemdNotifier
from edge.wire.drop_reasons import MESSAGES_QUEUE, MESSAGES_STALE
from edge.wire.messages import Message, Prediction

from .backend import SimulatedBackend
from .cameras import Network, arrivals
from .clock import SimulatedClock, SimulatedCondition
from .cost import CostModel

WARM_UP_S = 8.0
"""Seconds whose windows do not count: the first are short, and streams begin one after another."""


@dataclass(frozen=True)
class NodeSpec:
    """Specification of one simulated node."""

    streams: int
    seconds: float
    hop_ns: int
    network: Network
    seed: int
    number: int = 0
    """Number of the node, which draws what no other draws."""
    speed: float = 1.0
    """Speed beside that of the machine measured."""
    adapts: bool = False
    """True where the hop is lengthened under load, as with `--hop auto`."""


@dataclass
class NodeResult:
    """Record of what one node has published."""

    latencies_ms: list[float] = field(default_factory=list)
    """From capture to publication, of each window after the warm-up."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Drops by reason, warm-up included."""
    busy: float = 0.0
    """Share of the time in which the loop worked."""
    hop_s: float = 0.0
    """Hop at the end."""
    fused: list[int] = field(default_factory=list)
    """Windows of each batch of the fusion."""


class Sink:
    """Publisher of a simulated node, which sends nowhere."""

    waiting = 0

    def __init__(self, clock: SimulatedClock, result: NodeResult, counts_from_ns: int) -> None:
        self.dropped = Counter({MESSAGES_QUEUE: 0, MESSAGES_STALE: 0})
        self._clock, self._result, self._counts_from_ns = clock, result, counts_from_ns

    def publish(self, message: Message) -> None:
        """Take the latency of a prediction."""
        if isinstance(message, Prediction) and message.mono_end >= self._counts_from_ns:
            self._result.latencies_ms.append((self._clock.now_ns() - message.mono_end) / 1e6)


def run_node(spec: NodeSpec, cost: CostModel, manifest: Manifest | None = None) -> NodeResult:
    """Run one node; the same specification gives the same result to the last digit."""
    manifest = manifest or load(SHIPPED).manifest
    clock, result = SimulatedClock(), NodeResult()
    draw = np.random.default_rng((spec.seed, spec.number))
    backend = SimulatedBackend(
        manifest, clock, cost, spec.streams, spec.speed, lambda: float(draw.lognormal(0.0, cost.spread))
    )
    inbox = Inbox([1] * spec.streams, changed=SimulatedCondition(clock))
    delays = delays_ns(spec.streams, spec.hop_ns)
    for stream, delay_ns in enumerate(delays):
        seed = (spec.seed, spec.number, stream)
        feed(clock, inbox, stream, arrivals(manifest, spec.network, seed, delay_ns, spec.seconds))
    sink = Sink(clock, result, round(WARM_UP_S * SECOND_NS))
    run_spec = RunSpec(
        "simulated",
        tuple(StreamSpec(f"camera{n}", True, True, delay_ns=delay_ns) for n, delay_ns in enumerate(delays)),
        "whole",
        0,
        spec.hop_ns,
        True,
        SteadyStateConfig(),
    )
    pipeline = build_pipeline(run_spec, Recognizer(manifest, backend), sink.publish)
    hop_control = HopControl(spec.hop_ns, spec.adapts)
    supervisor = Supervisor(
        "simulated", hop_control, inbox, sink, pipeline.streams, SystemdNotifier.from_environment(), clock
    )
    watch = SuspensionWatch(clock)
    tick(clock, watch)
    with closing(pipeline.loop):
        run_live(pipeline.loop, inbox, clock, watch, threading.Event(), supervisor, ignore)
    pipeline.failures.raise_any()
    for counts in (*inbox.dropped, *(stream.reporter.drops.counts for stream in pipeline.streams)):
        result.dropped.update(counts)
    result.fused, result.hop_s = backend.fusion.batches, supervisor.hop_ns / SECOND_NS
    worked_ms = sum(each.worked_ms for each in (backend.image_encoder, backend.audio_encoder, backend.fusion))
    result.busy = worked_ms / 1000 / (clock.now_ns() / SECOND_NS)
    return result


def ignore(_: LoopInput) -> None:
    """Record nothing."""


def tick(clock: SimulatedClock, watch: SuspensionWatch) -> None:
    """Let the watch tick, as its thread does: a long pass is no suspension."""
    watch.awake_since_ns()
    clock.at(clock.now_ns() + round(TICK_S * SECOND_NS), lambda: tick(clock, watch))


def feed(clock: SimulatedClock, inbox: Inbox, stream: int, media: Iterator[tuple[int, Media]]) -> None:
    """Let the media of a stream arrive, one after the other, and its end."""
    following = next(media, None)
    if following is None:
        inbox.end(stream, None)
        return
    arrived_ns, item = following

    def arrive() -> None:
        inbox.put(stream, item)
        feed(clock, inbox, stream, media)

    clock.at(arrived_ns, arrive)
