"""CURVE keys: the files, who is let in, and which addresses need them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from edge.errors import SourceError, UsageError
from edge.wire import keys
from edge.wire.control import Control
from edge.wire.control_client import ControlClient
from edge.wire.control_messages import AskStatus, StatusReply
from edge.wire.keys import (
    ClientKeys,
    ServerKeys,
    check_bind,
    client_keys,
    load_client_keys,
    load_server_keys,
    make_client_keys,
    make_server_keys,
)
from edge.wire.publisher import Publisher
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import ANY_PORT, STATUS, WAIT_S, nothing, unchanged

REFUSED_S = 0.3
"""How long a test waits for what must not come."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_server_keys(tmp_path / "keys")
    make_client_keys(tmp_path / "keys", "robot")
    return tmp_path / "keys"


@pytest.fixture
def locked(folder: Path, clock) -> Iterator[tuple[str, str]]:
    """Where a publisher and a control port with keys are."""
    server = load_server_keys(folder)
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, server)
    control = Control(ANY_PORT, {"a": "b"}, publisher.last, clock, None, server)
    publisher.publish(STATUS)
    yield publisher.address, control.address
    control.close()
    publisher.close()


def stranger(folder: Path) -> ClientKeys:
    """With the right key of the server and one of its own that nobody let in."""
    return ClientKeys(*zmq.curve_keypair(), server=load_server_keys(folder).public)


def test_a_client_that_was_let_in_hears_and_asks(folder, locked) -> None:
    mine = load_client_keys(folder / "hand-out" / "robot")
    with Subscriber(locked[0], keys=mine) as subscriber, ControlClient(locked[1], mine, WAIT_S) as control:
        assert subscriber.receive(WAIT_S) == STATUS
        assert control.ask(AskStatus(), StatusReply) == StatusReply({"a": "b"}, [STATUS], None)


def test_a_client_that_comes_later_is_let_in_and_one_that_was_deleted_is_not(folder, locked) -> None:
    with Subscriber(locked[0], keys=load_client_keys(make_client_keys(folder, "later"))) as subscriber:
        assert subscriber.receive(WAIT_S) == STATUS
    (folder / "clients" / "later.key").unlink()
    with Subscriber(locked[0], keys=load_client_keys(folder / "hand-out" / "later")) as subscriber:
        assert subscriber.receive(REFUSED_S) is None


@pytest.mark.parametrize("who", ["without keys", "stranger", "with another server's key"])
def test_others_are_refused(folder, locked, who: str) -> None:
    mine = load_client_keys(folder / "hand-out" / "robot")
    shown = {
        "without keys": None,
        "stranger": stranger(folder),
        "with another server's key": ClientKeys(mine.public, mine.secret, zmq.curve_keypair()[0]),
    }[who]
    with Subscriber(locked[0], keys=shown) as subscriber, ControlClient(locked[1], shown, REFUSED_S) as control:
        with pytest.raises(SourceError, match="no answer"):
            control.ask(AskStatus(), StatusReply)
        assert subscriber.receive(REFUSED_S) is None
    with Subscriber(locked[0], keys=mine) as subscriber:
        assert subscriber.receive(WAIT_S) == STATUS, "it goes on for the others"


def test_a_client_with_keys_hears_nothing_of_a_server_without(folder) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    publisher.publish(STATUS)
    with Subscriber(publisher.address, keys=load_client_keys(folder / "hand-out" / "robot")) as subscriber:
        assert subscriber.receive(REFUSED_S) is None
    publisher.close()


def test_a_damaged_client_key_is_logged_and_shuts_nobody_else_out(folder, locked, caplog) -> None:
    unknown = stranger(folder)
    (folder / "clients" / "broken.key").write_text("curve\n")
    with Subscriber(locked[0], keys=unknown) as subscriber:
        assert subscriber.receive(REFUSED_S) is None
    assert "broken.key cannot be read as a CURVE key" in caplog.text
    with Subscriber(locked[0], keys=load_client_keys(folder / "hand-out" / "robot")) as subscriber:
        assert subscriber.receive(WAIT_S) == STATUS


def test_a_damaged_client_key_is_said_once_until_it_is_mended(folder, caplog) -> None:
    server = load_server_keys(folder)
    damaged, counted = folder / "clients" / "broken.key", []
    with zmq.Context() as one, zmq.Context() as other:
        doorkeepers = [keys.Authenticator(context, server) for context in (one, other)]
        for text, said in (("curve\n", 1), ("curve\n", 1), ((folder / "server.key").read_text(), 1), ("curve\n", 2)):
            damaged.write_text(text)
            for _ in range(10):
                for doorkeeper in doorkeepers:
                    assert not doorkeeper.callback("", b"x" * 40)
            counted.append((caplog.text.count("broken.key cannot be read"), said))
        for doorkeeper in doorkeepers:
            doorkeeper.close()
    assert [found for found, _ in counted] == [said for _, said in counted]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666, 0o777, 0o620])
def test_a_secret_that_others_can_read_is_refused_with_the_remedy(folder, mode: int) -> None:
    (folder / "server.key_secret").chmod(mode)
    with pytest.raises(UsageError) as refused:
        load_server_keys(folder)
    assert f"mode {mode:04o}" in str(refused.value)
    assert f"chmod 600 {folder / 'server.key_secret'}" in str(refused.value)
    (folder / "server.key_secret").chmod(0o400)
    assert load_server_keys(folder).secret


def test_a_clients_secret_that_others_can_read_is_refused_too(folder) -> None:
    mine = folder / "hand-out" / "robot"
    (mine / "client.key_secret").chmod(0o640)
    with pytest.raises(UsageError, match=r"mode 0640.*chmod 600"):
        load_client_keys(mine)


def test_a_damaged_client_key_is_named_before_it_starts(folder) -> None:
    (folder / "clients" / "broken.key").write_text("curve\n")
    with pytest.raises(UsageError, match=r"broken.key cannot be read as a CURVE key"):
        load_server_keys(folder)


def test_without_a_doorkeeper_nobody_is_let_in(folder, monkeypatch) -> None:
    class Absent(keys.Authenticator):
        def __init__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            pass

    monkeypatch.setattr("edge.wire.publisher.Authenticator", Absent)
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, load_server_keys(folder))
    publisher.publish(STATUS)
    with Subscriber(publisher.address, keys=load_client_keys(folder / "hand-out" / "robot")) as subscriber:
        assert subscriber.receive(REFUSED_S) is None
    publisher.close()


def test_secret_files_are_their_owners_alone(folder) -> None:
    before = os.umask(0)
    try:
        make_client_keys(folder, "open")
    finally:
        os.umask(before)
    secrets = sorted(folder.rglob("*.key_secret"))
    assert [path.name for path in secrets] == ["client.key_secret", "client.key_secret", "server.key_secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert all("secret" not in path.read_text() for path in folder.rglob("*.key"))


def test_keys_fit_each_other_and_zeromq(folder) -> None:
    server, client = load_server_keys(folder), load_client_keys(folder / "hand-out" / "robot")
    assert zmq.curve_public(server.secret) == server.public == client.server
    assert zmq.curve_public(client.secret) == client.public
    assert zmq.auth.load_certificates(folder / "clients") == {client.public: True}


def test_keys_that_are_there_stay(folder) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"server.key_secret is there already"):
        make_server_keys(folder)
    with pytest.raises(UsageError, match=r"robot.key is there already"):
        make_client_keys(folder, "robot")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["", "a.b", "../robot", "a/b", "-_"])
def test_a_client_has_a_name(folder, name: str) -> None:
    with pytest.raises(UsageError, match="is no name"):
        make_client_keys(folder, name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no keys at"),
        ("", "No public key"),
        ('curve\n    public-key = "short"\n    secret-key = "short"\n', "5 characters, not 40"),
        (f'curve\n    public-key = "{"~" * 40}"\n    secret-key = "{"0" * 40}"\n', "cannot be read"),
        (f'curve\n    public-key = "{"0" * 40}"\n', "holds no secret key"),
    ],
)
@pytest.mark.parametrize("load", [load_server_keys, load_client_keys])
def test_missing_and_damaged_keys_are_named(tmp_path, load, text: str | None, reason: str) -> None:
    name = "server" if load is load_server_keys else "client"
    if text is not None:
        (tmp_path / f"{name}.key_secret").write_text(text)
    with pytest.raises(UsageError, match=reason) as refused:
        load(tmp_path)
    assert str(tmp_path / f"{name}.key_secret") in str(refused.value)
    assert "foal-edge keys" in str(refused.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"):
        make_server_keys(tmp_path / "file" / "keys")


LOCAL = [
    "tcp://127.0.0.1:5556", "tcp://127.8.9.1:*", "tcp://localhost:1", "tcp://[::1]:5556", "ipc:///tmp/a", "ipc://*",
]  # fmt: skip
PUBLIC = [
    "tcp://0.0.0.0:5556", "tcp://*:5556", "tcp://[::]:5556", "tcp://192.168.1.2:1", "tcp://eth0:1", "tcp://robot:1",
    "tcp://localhost.example:1", "tcp://127.0.0.1.example:1", "tcp://[fe80::1]:1", "tcp://:1", "tcp://", "ws://*:1",
    "udp://0.0.0.0:1", "TCP://*:1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_needs_keys_or_the_users_word(address: str) -> None:
    with pytest.raises(UsageError, match=r"--keys DIR .* or --insecure"):
        check_bind(address, None, insecure=False)
    assert check_bind(address, None, insecure=True) is None
    assert check_bind(address, ServerKeys(b"", b"", Path()), insecure=False) is None


@pytest.mark.parametrize("address", LOCAL)
def test_an_address_of_this_machine_needs_nothing(address: str) -> None:
    assert check_bind(address, None, insecure=False) is None


def test_a_subscriber_takes_keys_or_the_folder_that_they_lie_in(tmp_path) -> None:
    make_server_keys(tmp_path)
    folder = make_client_keys(tmp_path, "robot")
    loaded = load_client_keys(folder)
    assert client_keys(folder) == client_keys(str(folder)) == client_keys(loaded) == loaded
    assert client_keys(None) is None
    for given in (folder, str(folder), loaded):
        Subscriber("tcp://127.0.0.1:1", keys=given).close()
        ControlClient("tcp://127.0.0.1:1", keys=given).close()


@pytest.mark.parametrize("given", [b"folder", 3, ("a", "b", "c"), True])
def test_what_is_no_keys_is_refused_with_what_is(given: object) -> None:
    with pytest.raises(UsageError, match=rf"keys: found {type(given).__name__}, expected the folder hand-out/NAME"):
        Subscriber("tcp://127.0.0.1:1", keys=given)


@pytest.mark.parametrize("load", [load_server_keys, load_client_keys])
def test_a_pipe_in_place_of_keys_is_not_waited_for(tmp_path, load) -> None:
    for name in ("server", "client"):
        os.mkfifo(tmp_path / f"{name}.key_secret")
    with pytest.raises(UsageError, match=r"key_secret is a pipe, a regular file is expected"):
        load(tmp_path)
