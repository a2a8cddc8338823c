"""A node as a proxy sees it: foal-edge's own publisher and control port, with made messages of a live stream.

python -m benchmarks.fleet.node_worker tcp://10.77.0.2:5556 --rate 10 --unix-ahead 3
"""

import argparse
import signal
import sys
import threading
import time
from uuid import uuid4

import msgspec

from edge.clock import SECOND_NS, Clock, SystemClock
from edge.wire.addresses import AUTO, control_address
from edge.wire.control_server import ControlServer
from edge.wire.evidence import AudioEvidence, Latency, VideoEvidence
from edge.wire.messages import Message, Prediction, Stats, Status
from edge.wire.publisher import Publisher, stamped

LABELS = ["angry", "happy", "neutral", "sad"]


class MovedClock(SystemClock):
    """Clock whose Unix time is wrong."""

    def __init__(self, ahead_s: float) -> None:
        self._ahead_ns = round(ahead_s * SECOND_NS)

    def unix_ns(self, monotonic_ns: int) -> int:
        """Return the wrong Unix time at a monotonic time."""
        return super().unix_ns(monotonic_ns) + self._ahead_ns


def prediction(session: str, seq: int, now_ns: int) -> Prediction:
    """Return a prediction of the size of a real one; its times but for the publishing's are made."""
    return Prediction(
        schema=1,
        session=session,
        stream="main",
        seq=seq,
        t_start=now_ns,
        t_end=now_ns,
        t_publish=0,
        mono_start=now_ns,
        mono_end=now_ns,
        mono_publish=0,
        label="happy",
        labels=LABELS,
        probs=[0.1, 0.7, 0.1, 0.1],
        confidence=0.7,
        agreement=0.25,
        audio=AudioEvidence("ok", -28.5, 0.75),
        video=VideoEvidence("ok", 1, None, 30),
        latency_ms=Latency(7.0, 5.0, 2.0, 25.0),
        dropped={},
        bundle="made 0",
        backend="none",
    )


def status(session: str, seq: int) -> Status:
    """Return a heartbeat."""
    return Status(1, session, "main", seq, 0, 0, "online", "ok", "ok", 0.5, {})


def stats(session: str, seq: int) -> Stats:
    """Return figures of a runtime."""
    return Stats(1, session, seq, 0, 0, float(seq), 0.5, 0.1, seq, {}, {})


def publish(publisher: Publisher, clock: Clock, rate_hz: float, stop: threading.Event) -> None:
    """Publish so many predictions a second, and a status and stats every second, until the stop."""
    session, seq, second, begin_s = uuid4().hex, 0, 0, time.monotonic()
    while not stop.wait(max(0.0, begin_s + seq / rate_hz - time.monotonic())):
        publisher.publish(prediction(session, seq, clock.now_ns()))
        seq += 1
        if seq / rate_hz >= second:
            publisher.publish(status(session, second))
            publisher.publish(stats(session, second))
            second += 1


def main() -> None:
    """Publish until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--unix-ahead", type=float, default=0.0)
    given = parser.parse_args()
    stop, clock = threading.Event(), MovedClock(given.unix_ahead)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def stamp(message: Message) -> Message:
        return stamped(message, clock)

    publisher = Publisher(given.address, "msgpack", stamp, ignore)
    control = control_address(given.address, AUTO)
    assert control is not None
    server = ControlServer(control, {}, publisher.last, clock, None)
    publish(publisher, clock, given.rate, stop)
    server.close()
    publisher.close()
    print(msgspec.json.encode(publisher.dropped).decode(), file=sys.stderr)  # noqa: T201


def ignore(_: Message) -> None:
    """Do nothing."""


if __name__ == "__main__":
    main()
