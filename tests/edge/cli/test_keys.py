"""`foal-edge keys`, as it is typed, and commands that use them."""

import pytest

from edge.wire.control_server import ControlServer
from edge.wire.keys import load_server_keys
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, PREDICTION, nothing, unchanged


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
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
    assert "  cam1  glad  " in heard.out
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
