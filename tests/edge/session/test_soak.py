"""Nothing grows: the whole live loop for hours on a clock that runs ahead, its encoders played by their golden outputs.

Devices come and go, a subscriber listens and another one never reads. `pytest -m slow tests/edge/session/test_soak.py`
is eight hours; the ordinary run is a quarter of one.
"""

import gc
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zmq

from edge.bundle.load import SHIPPED, load
from edge.live.hop_control import HopControl
from edge.live.inbox import Delivery, Inbox
from edge.live.loop import run_live
from edge.live.pipeline import build_pipeline
from edge.live.recognizer import Recognizer
from edge.live.supervision import Supervisor
from edge.live.suspension import SuspensionWatch
from edge.preprocess.media import Block, Frame
from edge.service.systemd import SystemdNotifier
from edge.wire.control_server import ControlServer
from edge.wire.publisher import Publisher, stamped
from tests.edge.made_run import MS, run_spec

HOUR_NS = 3_600_000_000_000
TICK_NS = 20 * MS
CHECK_NS = HOUR_NS // 12
SETTLED_NS = HOUR_NS // 12
MOST_GROWTH_MB = 3.0
QUIET_MS = 3000
"""Without a message for so long, a listener takes it that the run has ended."""
NAMES = ("lobby", "door")


class GoldenBackend:
    """Each graph gives what the bundle's golden vectors say, whatever it is given."""

    name = about = "golden"

    def __init__(self) -> None:
        bundle = load(SHIPPED)
        stored = np.load(bundle.folder / "golden.npz")
        self.manifest = bundle.manifest
        self._outputs = {
            graph: {tensor.name: stored[f"{graph}/{tensor.name}"][:1] for tensor in entry.outputs}
            for graph, entry in bundle.manifest.graphs.by_name().items()
        }

    def __getattr__(self, graph: str) -> Any:
        def run(inputs: Mapping[str, Any]) -> dict[str, Any]:
            count = len(next(iter(inputs.values())))
            return {name: value.repeat(count, axis=0) for name, value in self._outputs[graph].items()}

        return run


class PassingInbox(Inbox):
    """Each take is 20 ms later, and finds what the devices have delivered by then."""

    def __init__(self, clock: Any, hours: float) -> None:
        super().__init__([1] * len(NAMES))
        self._clock, self._end_ns = clock, round(hours * HOUR_NS)
        random = np.random.default_rng(0)
        self._audio = (0.1 * random.standard_normal((50, 320))).astype(np.float32)
        self._pictures = random.integers(60, 200, (5, 64, 64, 3)).astype(np.uint8)
        self.looks: list[tuple[int, float, int, int]] = []

    def take(
        self, timeout_s: float, linger_s: float = 0.0, audio_due_ns: Sequence[float] | None = None
    ) -> list[Delivery]:
        self._clock.time_ns += TICK_NS
        now_ns = self._clock.time_ns
        tick = now_ns // TICK_NS
        for stream in range(len(NAMES)):
            minute = now_ns // (60_000 * MS) + 3 * stream
            if minute % 10 != 7:
                muted = minute % 10 == 4
                self.put(stream, Block(self._audio[tick % 50] * (not muted), now_ns))
            if tick % 10 == 0 and minute % 10 != 2:
                self.put(stream, Frame(self._pictures[tick // 10 % 5], now_ns))
        if now_ns % CHECK_NS == 0:
            self._look(now_ns)
        if now_ns >= self._end_ns:
            for stream in range(len(NAMES)):
                self.end(stream, None)
        return super().take(0)

    def _look(self, now_ns: int) -> None:
        gc.collect()
        resident_mb = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        # the guards of the ports open /proc for a moment, ten times a second
        descriptors = min(len(os.listdir("/proc/self/fd")) for _ in range(10))
        self.looks.append((now_ns, resident_mb, threading.active_count(), descriptors))


def listen_on(context: "zmq.Context[zmq.Socket[bytes]]", address: str, counted: list[int]) -> threading.Thread:
    def run() -> None:
        with context.socket(zmq.SUB) as socket:
            socket.subscribe(b"")
            socket.connect(address)
            while socket.poll(QUIET_MS):
                socket.recv_multipart()
                counted[0] += 1

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("hours", [0.25, pytest.param(8.0, marks=pytest.mark.slow)])
def test_nothing_grows(hours: float, clock, tmp_path, record_property) -> None:
    backend, inbox = GoldenBackend(), PassingInbox(clock, hours)
    publisher = Publisher(f"ipc://{tmp_path}/soak", "msgpack", lambda m: stamped(m, clock), lambda message: None)
    control = ControlServer(f"ipc://{tmp_path}/control", {}, publisher.last, clock, None, None)
    made = build_pipeline(
        msgspec.structs.replace(run_spec(*NAMES), begin_ns=0), Recognizer(backend.manifest, backend), publisher.publish
    )
    supervisor = Supervisor(
        "0" * 32, HopControl(500 * MS, False), inbox, publisher, made.streams, SystemdNotifier(), clock
    )
    heard = [0]
    with zmq.Context() as context, context.socket(zmq.SUB) as deaf:
        deaf.subscribe(b"")
        deaf.connect(publisher.address)
        listening = listen_on(context, publisher.address, heard)
        run_live(made.loop, inbox, clock, SuspensionWatch(clock), threading.Event(), supervisor, lambda _: None)
        made.loop.close()
        control.close()
        publisher.close()
        predictions = [stream.reporter.predictions for stream in made.streams]
        settled = [look for look in inbox.looks if look[0] >= SETTLED_NS]
        growth_mb = settled[-1][1] - settled[0][1]
        record_property(
            "measured",
            f"{hours:g} simulated hours, {sum(predictions)} predictions of {len(NAMES)} streams, {heard[0]} "
            f"messages heard: resident memory {settled[0][1]:.0f} to {settled[-1][1]:.0f} MB, "
            f"threads {settled[0][2]} to {settled[-1][2]}, descriptors {settled[0][3]} to {settled[-1][3]}",
        )
        assert growth_mb < MOST_GROWTH_MB
        assert {look[2:] for look in settled} == {settled[0][2:]}
        assert min(predictions) >= hours * 7200 * 0.98
        listening.join()
