"""Nothing grows: hours of a run of its own, to which a subscriber listens and another one never reads.

`pytest -m slow tests/edge/session/test_soak.py` is eight hours; the ordinary run is a quarter of one.
"""

import subprocess
import sys
from pathlib import Path
from typing import IO

import msgspec
import pytest
import zmq

from tests.edge.session.made_soak import HOUR_NS, Soaked

ROOT = Path(__file__).parents[3]
SETTLED_NS = HOUR_NS // 12
MOST_GROWTH_MB = 2.0
"""A kilobyte more for each message would be 4."""


def count_messages(socket: zmq.Socket, ended: IO[bytes]) -> int:
    """How many arrive until something is read from the other."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(ended, zmq.POLLIN)
    count = 0
    while socket in dict(poller.poll()):
        socket.recv_multipart()
        count += 1
    return count


@pytest.mark.parametrize("hours", [0.25, pytest.param(8.0, marks=pytest.mark.slow)])
def test_nothing_grows(hours: float, tmp_path, record_property) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.edge.session.made_soak", str(hours), str(tmp_path)]
    with zmq.Context() as context, context.socket(zmq.SUB) as listening, context.socket(zmq.SUB) as deaf:
        for socket in (listening, deaf):
            socket.subscribe(b"")
            socket.connect(f"ipc://{tmp_path}/soak")
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            try:
                heard = count_messages(listening, process.stdout)
                soaked = msgspec.json.decode(process.stdout.read(), type=Soaked)
            finally:
                process.kill()
    settled = [look for look in soaked.looks if look.at_ns >= SETTLED_NS]
    first, last = settled[0], settled[-1]
    record_property(
        "measured",
        f"{hours:g} simulated hours, {sum(soaked.predictions)} predictions of {len(soaked.predictions)} streams, "
        f"{heard} messages heard: private memory {first.private_mb:.1f} to {last.private_mb:.1f} MB, "
        f"threads {first.threads} to {last.threads}, descriptors {first.descriptors} to {last.descriptors}",
    )
    assert last.private_mb - first.private_mb < MOST_GROWTH_MB
    assert {(look.threads, look.descriptors) for look in settled} == {(first.threads, first.descriptors)}
    assert min(soaked.predictions) >= hours * 7200 * 0.98
    assert heard
