"""Authentication over real sockets: who is admitted and who is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from edge.errors import SourceError
from edge.wire.authenticator import Authenticator
from edge.wire.control_client import ControlClient
from edge.wire.control_messages import AskStatus, StatusReply
from edge.wire.control_server import ControlServer
from edge.wire.keys import ClientKeys, load_client_keys, load_server_keys, make_client_keys
from edge.wire.publisher import Publisher
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import ANY_PORT, STATUS, WAIT_S, nothing, unchanged

REFUSED_S = 0.3
"""How long a test waits for what must not come."""


@pytest.fixture
def locked(folder: Path, clock) -> Iterator[tuple[str, str]]:
    """Where a publisher and a control port with keys are."""
    server = load_server_keys(folder)
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, server)
    control = ControlServer(ANY_PORT, {"a": "b"}, publisher.last, clock, None, server)
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
        for _ in ("before it is refused", "after"):
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
        authenticators = [Authenticator(context, server) for context in (one, other)]
        for text, said in (("curve\n", 1), ("curve\n", 1), ((folder / "server.key").read_text(), 1), ("curve\n", 2)):
            damaged.write_text(text)
            for _ in range(10):
                for authenticator in authenticators:
                    assert not authenticator.callback("", b"x" * 40)
            counted.append((caplog.text.count("broken.key cannot be read"), said))
        for authenticator in authenticators:
            authenticator.close()
    assert [found for found, _ in counted] == [said for _, said in counted]


def test_without_an_authenticator_nobody_is_let_in(folder, monkeypatch) -> None:
    class Absent(Authenticator):
        def __init__(self, *_: object) -> None:
            pass

        def close(self) -> None:
            pass

    monkeypatch.setattr("edge.wire.authenticator.Authenticator", Absent)
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, load_server_keys(folder))
    publisher.publish(STATUS)
    with Subscriber(publisher.address, keys=load_client_keys(folder / "hand-out" / "robot")) as subscriber:
        assert subscriber.receive(REFUSED_S) is None
    publisher.close()
