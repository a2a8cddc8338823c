"""CURVE keys: the folder, and what a subscriber may give as its keys."""

import pytest
import zmq

from edge.errors import UsageError
from edge.wire.control_client import ControlClient
from edge.wire.keys import as_client_keys, load_client_keys, load_server_keys, make_client_keys, make_server_keys
from edge.wire.subscriber import Subscriber


def test_a_damaged_client_key_is_named_before_it_starts(folder) -> None:
    (folder / "clients" / "broken.key").write_text("curve\n")
    with pytest.raises(UsageError, match=r"broken.key cannot be read as a CURVE key"):
        load_server_keys(folder)


def test_keys_fit_each_other_and_zeromq(folder) -> None:
    server, client = load_server_keys(folder), load_client_keys(folder / "hand-out" / "robot")
    assert zmq.curve_public(server.secret) == server.public == client.server
    assert zmq.curve_public(client.secret) == client.public
    assert zmq.auth.load_certificates(folder / "clients") == {client.public: True}


def test_keys_that_are_there_stay(folder) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match=r"server.key_secret exists already"):
        make_server_keys(folder)
    with pytest.raises(UsageError, match=r"robot.key exists already"):
        make_client_keys(folder, "robot")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["", "a.b", "../robot", "a/b", "-_"])
def test_a_client_has_a_name(folder, name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid name"):
        make_client_keys(folder, name)


def test_a_folder_that_cannot_be_made_is_named(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"):
        make_server_keys(tmp_path / "file" / "keys")


def test_a_subscriber_takes_keys_or_the_folder_that_they_lie_in(tmp_path) -> None:
    make_server_keys(tmp_path)
    folder = make_client_keys(tmp_path, "robot")
    loaded = load_client_keys(folder)
    assert as_client_keys(folder) == as_client_keys(str(folder)) == as_client_keys(loaded) == loaded
    assert as_client_keys(None) is None
    for given in (folder, str(folder), loaded):
        Subscriber("tcp://127.0.0.1:1", keys=given).close()
        ControlClient("tcp://127.0.0.1:1", keys=given).close()


@pytest.mark.parametrize("given", [b"folder", 3, ("a", "b", "c"), True])
def test_what_is_no_keys_is_refused_with_what_is(given: object) -> None:
    with pytest.raises(UsageError, match=rf"keys: found {type(given).__name__}, expected the folder hand-out/NAME"):
        Subscriber("tcp://127.0.0.1:1", keys=given)
