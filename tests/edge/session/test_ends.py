"""Ends that nobody planned: killed and started again, its port taken meanwhile, its bundle replaced under its feet."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq

from edge.bundle.load import SHIPPED
from edge.wire.messages import Prediction
from edge.wire.subscriber import Subscriber

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60
TAKEN = 5


@contextmanager
def running(address: str, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The demo in real time, publishing at `address`; killed where a test leaves it running."""
    command = [sys.executable, "-m", "edge", "--demo", "--quiet", "--threads", "1", "--bind", address, *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def next_prediction(subscriber: Subscriber, session: str | None = None) -> Prediction:
    """The next prediction of another run than `session`."""
    while message := subscriber.receive(PATIENCE_S):
        if isinstance(message, Prediction) and message.session != session:
            return message
    pytest.fail(f"no prediction for {PATIENCE_S} s")


@pytest.fixture(params=["tcp", "ipc"])
def address(request, tmp_path) -> str:
    if request.param == "ipc":
        return f"ipc://{tmp_path}/publisher"
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1", min_port=20_000, max_port=30_000)
    return f"tcp://127.0.0.1:{port}"


def test_killed_and_started_again_at_the_same_address_its_subscribers_find_it_again(address: str) -> None:
    with Subscriber(address, "emotion.") as subscriber:
        with running(address) as first:
            before = next_prediction(subscriber)
            first.send_signal(signal.SIGKILL)
            first.wait(PATIENCE_S)
        with running(address) as second:
            after = next_prediction(subscriber, before.session)
            assert after.seq <= 1
            second.send_signal(signal.SIGTERM)
            assert second.wait(PATIENCE_S) == 0


def test_a_port_that_another_program_took_meanwhile_is_named(tmp_path) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        with running(f"tcp://127.0.0.1:{port}") as process:
            assert process.wait(PATIENCE_S) == TAKEN
            said = process.stderr.read()
    assert f"cannot publish at tcp://127.0.0.1:{port}: Address already in use" in said
    assert "--bind" in said


def overwrite(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file():
            path.write_bytes(b"another bundle")


def replace(folder: Path) -> None:
    for path in list(folder.iterdir()):
        if path.is_file():
            other = path.with_suffix(".new")
            other.write_bytes(b"another bundle")
            other.replace(path)


@pytest.mark.parametrize("change", [overwrite, replace, shutil.rmtree])
def test_a_bundle_replaced_on_disk_does_not_reach_what_runs(tmp_path, change) -> None:
    bundle, address = tmp_path / "bundle", f"ipc://{tmp_path}/publisher"
    shutil.copytree(SHIPPED, bundle)
    with running(address, "--bundle", str(bundle)) as process, Subscriber(address, "emotion.") as subscriber:
        first = next_prediction(subscriber)
        change(bundle)
        later = [next_prediction(subscriber) for _ in range(3)]
        assert {message.bundle for message in later} == {first.bundle}
        assert all(sum(message.probs) == pytest.approx(1, abs=1e-5) for message in later)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""
