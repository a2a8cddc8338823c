"""`foal-edge listen`, `status` and `keys`, as they are typed."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli.subscribe import predictions
from edge.wire.control_server import ControlServer
from edge.wire.keys import load_server_keys
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, PREDICTION, STATS, STATUS, nothing, numbered, unchanged

ROOT = Path(__file__).parents[3]
NOBODY = "tcp://127.0.0.1:9"
LAST = [STATUS, STATS, *(numbered(n, PREDICTION, stream=f"cam{n}") for n in range(1, 4))]


@pytest.fixture
def address() -> Iterator[str]:
    """Where who joins gets a status, the figures and three predictions."""
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    for message in LAST:
        publisher.publish(message)
    yield publisher.address
    publisher.close()


@pytest.fixture
def control(clock) -> Iterator[ControlServer]:
    control = ControlServer(ANY_PORT, {"bundle": "tiny 0.0.1", "session": "ab"}, lambda: LAST, clock, None)
    yield control
    control.close()


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ("listen --connect nowhere", 2, "no such address: nowhere"),
        (f"listen --connect {NOBODY} --timeout 0.01", 3, f"no message from {NOBODY} for 0.01 s"),
        (f"listen --connect {NOBODY} --timeout nan", 2, "--timeout"),
        ("listen --count 0", 2, "--count"),
        ("listen --keys nowhere", 2, "no keys at nowhere/client.key_secret"),
        (f"status --control {NOBODY} --timeout 0.01", 3, f"no answer from {NOBODY} within 0.01 s"),
        ("status --control nowhere", 2, "no such address: nowhere"),
        ("status --timeout 0", 2, "--timeout"),
        ("status --keys nowhere", 2, "no keys at nowhere/client.key_secret"),
        ("keys", 2, "DIR"),
        ("keys new --client ../x", 2, "--client '../x' is not a valid name"),
        ("keys file", 2, "cannot make the folder file"),
    ],
)
def test_bad_input_ends_with_its_status_and_one_paragraph(
    edge_command, tmp_path, monkeypatch, arguments: str, status: int, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    ended = edge_command(*arguments.split())
    assert ended.status == status
    assert reason in ended.err
    assert is_one_paragraph(ended.err)


@pytest.mark.parametrize("command", ["listen", "status", "keys"])
def test_help_of_every_command(edge_command, command: str) -> None:
    ended = edge_command(command, "--help")
    assert (ended.status, ended.out.split()[0]) == (0, "Usage:")


def test_listen_ends_after_so_many_predictions(edge_command, address) -> None:
    ended = edge_command("listen", "--connect", address, "--count", 2, "--timeout", 20)
    lines = ended.out.splitlines()
    assert ended.status == 0
    assert lines[0] == "cam1 online: audio ok, video off"
    assert lines[1].startswith("up 4 s  8 predictions")
    assert [line.split("  ")[0] for line in lines[2:]] == ["cam1 #1", "cam2 #2"]


def test_listen_prints_a_json_document_a_line(edge_command, address) -> None:
    ended = edge_command("listen", "--connect", address, "--count", 2, "--json", "--timeout", 20)
    documents = [json.loads(line) for line in ended.out.splitlines()]
    assert [document["type"] for document in documents] == ["status", "stats", "prediction", "prediction"]
    assert documents[3]["seq"] == 2


@pytest.mark.parametrize("options", [[], ["--latest"]])
def test_listen_hears_only_its_topic(edge_command, address, options: list[str]) -> None:
    arguments = ["--topic", "emotion.cam2.", "--count", 1, "--timeout", 20, "--stats", *options]
    lines = edge_command("listen", "--connect", address, *arguments).out.splitlines()
    assert lines[0].startswith("cam2 #2")
    assert "1 predictions, 0 missed" in lines[1]


def test_listen_ends_in_order_at_ctrl_c(address) -> None:
    command = [sys.executable, "-m", "edge", "listen", "--connect", address]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("cam1 online")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "stopped\n")


def test_only_predictions_are_counted() -> None:
    assert predictions({("a", "emotion.x."): 2, ("b", "emotion.x."): 3, ("a", "status.x."): 7, ("a", "stats."): 9}) == 5


def test_status_tells_what_runs(edge_command, control) -> None:
    ended = edge_command("status", "--control", control.address)
    lines = ended.out.splitlines()
    assert ended.status == 0
    assert lines[:2] == ["bundle   tiny 0.0.1", "session  ab"]
    row = next(line for line in lines if "cam1" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == [
        "cam1", "online", "ok", "off", "0.5", "frames_overload 2",
    ]  # fmt: skip
    assert "busy 25%" in lines[-1]
    assert "dropped windows_late 1" in lines[-1]


def test_status_as_json_is_the_reply(edge_command, control) -> None:
    document = json.loads(edge_command("status", "--control", control.address, "--json").out)
    assert document["about"] == {"bundle": "tiny 0.0.1", "session": "ab"}
    assert [stream["state"] for stream in document["streams"]] == ["online"]
    assert document["stats"]["predictions"] == 8


def test_keys_are_made_handed_out_and_used(edge_command, tmp_path, clock) -> None:
    folder = tmp_path / "keys"
    made = edge_command("keys", folder, "--client", "robot", "--client", "desk")
    assert made.status == 0
    assert [line.split()[0] for line in made.out.splitlines()] == ["the", "robot's", "desk's"]
    server = load_server_keys(folder)
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, server)
    publisher.publish(PREDICTION)
    control = ControlServer(ANY_PORT, {}, publisher.last, clock, None, server)
    mine = ("--keys", folder / "hand-out" / "desk")
    heard = edge_command("listen", "--connect", publisher.address, "--count", 1, "--timeout", 20, *mine)
    asked = edge_command("status", "--control", control.address, "--timeout", 20, *mine)
    refused = edge_command("listen", "--connect", publisher.address, "--timeout", 0.2)
    control.close()
    publisher.close()
    assert (heard.status, asked.status, refused.status) == (0, 0, 3)
    assert heard.out.startswith("cam1 #300")
    assert "does it want --keys" in refused.err


def test_keys_that_are_there_are_kept_and_clients_added(edge_command, tmp_path) -> None:
    assert edge_command("keys", tmp_path).status == 0
    before = (tmp_path / "server.key").read_bytes()
    again = edge_command("keys", tmp_path)
    assert (again.status, "exists already" in again.err) == (2, True)
    added = edge_command("keys", tmp_path, "--client", "robot")
    assert (added.status, "server" in added.out) == (0, False)
    assert edge_command("keys", tmp_path, "--client", "robot").status == 2
    assert (tmp_path / "server.key").read_bytes() == before
