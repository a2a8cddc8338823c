"""`foal-edge bridge`, as it is typed."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.wire.keys import load_server_keys, make_client_keys, make_server_keys
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, PREDICTION, STATUS, WAIT_S, nothing, unchanged

ROOT = Path(__file__).parents[3]
EXTRAS = {"lsl": "pylsl", "osc": "pythonosc", "mqtt": "paho", "rosbag": "rosbags"}
ARGUMENTS = {"lsl": ["--insecure"], "osc": [], "mqtt": [], "rosbag": ["bag"]}


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("osc --connect nowhere", "--connect nowhere begins with neither tcp:// nor ipc://"),
        ("osc --to nowhere", "--to: 'nowhere' has no host and port"),
        ("osc --to [::1:9000", "--to: '[::1:9000' has no host and port"),
        ("osc --to 127.0.0.1:99999", "--to: '127.0.0.1:99999' has no host and port"),
        ("osc --to studio:9000", "give --insecure if the network is trusted"),
        ("osc --keys nowhere", "no keys at nowhere/client.key_secret"),
        ("lsl --insecure --control off --control off", "2 --control for 1 --connect"),
        ("lsl", "LSL listens on every network interface and encrypts nothing"),
        ("mqtt --broker 127.0.0.1", "begins with neither mqtt:// nor mqtts://"),
        ("mqtt --broker mqtt://", "has no host and port"),
        ("mqtt --broker mqtt://127.0.0.1:0", "has no host and port"),
        ("mqtt --broker mqtt://hall", "give --insecure if the network is trusted"),
        ("mqtt --prefix a/#", "--prefix 'a/#' cannot begin a topic"),
        ("mqtt --password-file nowhere", "no such file: nowhere"),
        ("rosbag .", "exists already"),
        ("rosbag", "FOLDER"),
        ("nonsense", "No such command 'nonsense'"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_paragraph(
    edge_command, tmp_path, monkeypatch, arguments: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pytest.importorskip(EXTRAS.get(arguments.split()[0], "edge"))
    ended = edge_command("bridge", *arguments.split())
    assert ended.status == 2
    assert reason in re.sub(r"\s+", " ", ended.err)
    assert is_one_paragraph(ended.err)


@pytest.mark.parametrize("name", EXTRAS)
def test_a_missing_package_names_its_extra(edge_command, monkeypatch, tmp_path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    for module in [name for name in sys.modules if name.startswith("edge.bridges.") and "base" not in name]:
        monkeypatch.delitem(sys.modules, module)
    for module in [module for module in sys.modules if module.partition(".")[0] == EXTRAS[name]]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, EXTRAS[name], None)
    ended = edge_command("bridge", name, *ARGUMENTS[name])
    extra = "ros" if name == "rosbag" else name
    assert ended.status == 2
    assert f"pip install 'foal-edge[{extra}]'" in re.sub(r"\s+", " ", ended.err)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        yield receiver


@pytest.mark.parametrize("with_keys", [False, True])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_bridges_until_it_is_asked_to_end(tmp_path, receiver, with_keys: bool, number: signal.Signals) -> None:
    pytest.importorskip("pythonosc")
    make_server_keys(tmp_path / "keys")
    hand_out = make_client_keys(tmp_path / "keys", "desk")
    keys = load_server_keys(tmp_path / "keys") if with_keys else None
    publishers = [Publisher(ANY_PORT, "msgpack", unchanged, nothing, keys) for _ in range(2)]  # as two proxies do
    for publisher in publishers:
        publisher.publish(PREDICTION)
        publisher.publish(STATUS)
    one, two = (publisher.address for publisher in publishers)
    to = f"127.0.0.1:{receiver.getsockname()[1]}"
    command = [sys.executable, "-m", "edge", "bridge", "osc", "--connect", one, "--connect", two, "--to", to]
    command += ["--keys", str(hand_out)] if with_keys else []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert b"/foal-edge/cam1/label" in receiver.recv(65536)
            assert b"/foal-edge/cam1/status" in receiver.recv(65536)
            process.send_signal(number)
            out, err = process.communicate(timeout=WAIT_S)
        finally:
            process.kill()
    for publisher in publishers:
        publisher.close()
    assert (process.returncode, out) == (0, "")
    assert f"messages from {one} and {two} are bridged" in err
    assert err.endswith("2 messages received; lost: nothing\n")
