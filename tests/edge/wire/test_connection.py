"""Real descriptors: what a peer has sent, and that no other descriptor is touched."""

import os
import socket
from collections.abc import Iterator

import pytest

from edge.wire.connection import ConnectionProbe
from tests.edge.made_messages import WAIT_S


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def probe(server: socket.socket) -> Iterator[ConnectionProbe]:
    probe = ConnectionProbe(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    yield probe
    probe.close()


def pair(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(server.getsockname(), timeout=WAIT_S)
    return client, server.accept()[0]


def test_what_was_sent_is_counted_whether_it_was_read_or_not(probe: ConnectionProbe, server) -> None:
    client, accepted = pair(server)
    with client, accepted:
        assert probe.bytes_received(accepted.fileno()) == 0
        client.sendall(bytes(12_345))
        accepted.recv(10)
        assert accepted.recv(12_335, socket.MSG_WAITALL)
        client.sendall(bytes(5))
        assert accepted.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
        assert probe.bytes_received(accepted.fileno()) == 12_350


def test_a_connection_is_cut_off_at_once_for_both_sides(probe: ConnectionProbe, server) -> None:
    client, accepted = pair(server)
    with client, accepted:
        assert probe.shut_down(accepted.fileno())
        assert (client.recv(1), accepted.recv(1)) == (b"", b"")
        assert probe.shut_down(accepted.fileno())


def test_a_number_that_became_something_elses_is_left_alone(probe: ConnectionProbe, server) -> None:
    ours, theirs = socket.socketpair()
    other = socket.create_server(("127.0.0.1", 0))
    client, accepted = pair(other)
    with ours, theirs, other, client, accepted, open(os.devnull) as file:
        for descriptor in (ours.fileno(), accepted.fileno(), client.fileno(), file.fileno(), 99_999):
            assert probe.bytes_received(descriptor) is None
            assert not probe.shut_down(descriptor)
        client.sendall(b"here")
        assert accepted.recv(4) == b"here"
        ours.sendall(b"too")
        assert theirs.recv(3) == b"too"


def test_no_descriptor_is_held_longer_than_it_is_looked_at(probe: ConnectionProbe, server) -> None:
    client, accepted = pair(server)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        probe.bytes_received(accepted.fileno())
    assert len(os.listdir("/proc/self/fd")) == before
    accepted.close()
    assert client.recv(1) == b""
    client.close()
