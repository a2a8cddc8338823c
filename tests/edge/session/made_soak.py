"""A soak run, in a process that does nothing else: what it holds at each look is its own.

`python -m tests.edge.session.made_soak HOURS FOLDER` publishes at `FOLDER/soak`: the whole live loop for hours on a
clock that runs ahead, its encoders played by their golden outputs, its devices coming and going. It prints `Soaked`.
"""

import gc
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge.bundle.load import SHIPPED, load
from edge.live.hop_control import HopControl
from edge.live.inbox import Delivery, Inbox
from edge.live.loop import run_live
from edge.live.pipeline import build_pipeline
from edge.live.recognizer import Recognizer
from edge.live.supervision import Supervisor
from edge.live.suspension import SuspensionWatch
from edge.preprocess.media import Block, Frame
from edge.preprocess.windowing import Due
from edge.service.systemd import SystemdNotifier
from edge.wire.control_server import ControlServer
from edge.wire.publisher import Publisher, stamped
from tests.conftest import SteppedClock
from tests.edge.made_run import MS, run_spec

HOUR_NS = 3_600_000_000_000
TICK_NS = 20 * MS
CHECK_NS = HOUR_NS // 12
NAMES = ("lobby", "door")


class Look(msgspec.Struct, array_like=True):
    """What the process holds at a time of its clock."""

    at_ns: int
    private_mb: float
    threads: int
    descriptors: int


class Soaked(msgspec.Struct):
    """What a soak run tells at its end."""

    looks: list[Look]
    predictions: list[int]
    """Of each stream."""


def private_mb() -> float:
    """Counted exactly, and without the pages of files, which the kernel drops and reads again as it likes."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(amount.split()[0]) for name, amount in (line.split(":") for line in lines)}
    return (kilobytes["Anonymous"] + kilobytes["Swap"]) / 1000


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
        self.looks: list[Look] = []

    def take(self, timeout_s: float, linger_s: float = 0.0, due: Sequence[Due] | None = None) -> list[Delivery]:
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
        # the guards of the ports open /proc for a moment, ten times a second
        descriptors = min(len(os.listdir("/proc/self/fd")) for _ in range(10))
        self.looks.append(Look(now_ns, private_mb(), threading.active_count(), descriptors))


def soak(hours: float, folder: Path) -> Soaked:
    clock, backend = SteppedClock(), GoldenBackend()
    inbox = PassingInbox(clock, hours)
    publisher = Publisher(f"ipc://{folder}/soak", "msgpack", lambda m: stamped(m, clock), lambda message: None)
    control = ControlServer(f"ipc://{folder}/control", {}, publisher.last, clock, None, None)
    made = build_pipeline(
        msgspec.structs.replace(run_spec(*NAMES), begin_ns=0), Recognizer(backend.manifest, backend), publisher.publish
    )
    supervisor = Supervisor(
        "0" * 32, HopControl(500 * MS, False), inbox, publisher, made.streams, SystemdNotifier(), clock
    )
    run_live(made.loop, inbox, clock, SuspensionWatch(clock), threading.Event(), supervisor, lambda _: None)
    made.loop.close()
    control.close()
    publisher.close()
    return Soaked(inbox.looks, [stream.reporter.predictions for stream in made.streams])


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(soak(float(sys.argv[1]), Path(sys.argv[2]))))
