"""The bounds of a port, over real connections and with limits lowered to what is harmless."""

import itertools
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import zmq

from edge.wire import guard
from edge.wire.guard import Guard, Limits
from tests.edge.made_messages import ANY_PORT, WAIT_S

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL".ljust(54, b"\x00")
"""With which a connection that speaks ZeroMQ begins."""
ROOMY = Limits(connections=100, burst_bytes=1 << 20, rate_bytes_s=1 << 20)


@pytest.fixture
def watch() -> Iterator[Callable[..., tuple[str, int]]]:
    """A guarded socket's address and port."""
    with zmq.Context() as context:
        guards: list[tuple[Guard, zmq.Socket[bytes]]] = []

        def watched(limits: Limits, address: str = ANY_PORT) -> tuple[str, int]:
            sock = context.socket(zmq.XPUB)
            sock.setsockopt(zmq.LINGER, 0)
            guards.append((Guard(sock, limits), sock))
            sock.bind(address)
            bound = sock.getsockopt_string(zmq.LAST_ENDPOINT)
            guards[-1][0].start(bound)
            port = bound.rpartition(":")[2]
            return bound, int(port) if port.isdecimal() else 0

        yield watched
        for one, sock in guards:
            one.close()
            sock.close()


@pytest.fixture
def connect() -> Iterator[Callable[[int], socket.socket]]:
    opened: list[socket.socket] = []

    def connected(port: int) -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", port), timeout=WAIT_S))
        return opened[-1]

    yield connected
    for sock in opened:
        sock.close()


def is_cut(sock: socket.socket) -> bool:
    """Whether the other side ends the connection; it says something of its own before."""
    try:
        while sock.recv(4096):
            continue
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_one_connection_too_many_is_cut_off_and_the_others_stay(watch, connect) -> None:
    _, port = watch(ROOMY._replace(connections=2))
    there = [connect(port), connect(port)]
    for sock in there:
        assert sock.recv(1) == GREETING[:1]
    assert is_cut(connect(port))
    for sock in there:
        sock.settimeout(0.2)
        assert not is_cut(sock)


def test_who_leaves_makes_room(watch, connect) -> None:
    _, port = watch(ROOMY._replace(connections=1))
    for _ in range(5):
        connect(port).close()
        with zmq.Context() as context, context.socket(zmq.SUB) as later:  # it tries again until there is room
            monitor = later.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
            later.connect(f"tcp://127.0.0.1:{port}")
            is_let_in = monitor.poll(WAIT_S * 1000)
            later.disable_monitor()
            monitor.close(0)
        assert is_let_in


def test_who_sends_too_much_is_cut_off_and_said(watch, connect, caplog) -> None:
    address, port = watch(ROOMY._replace(burst_bytes=40, rate_bytes_s=1))
    quiet, loud = connect(port), connect(port)
    loud.sendall(GREETING)
    assert is_cut(loud)
    quiet.settimeout(0.2)
    assert not is_cut(quiet)
    assert f"a client of {address} was disconnected: it sent " in caplog.text


def test_what_a_rate_allows_is_not_counted_against_anybody(watch) -> None:
    address, _ = watch(ROOMY._replace(burst_bytes=5000, rate_bytes_s=1 << 30))
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        monitor = subscriber.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        subscriber.connect(address)
        for number in range(1000):
            subscriber.subscribe(f"topic.{number}.")
        left = monitor.poll(5 * guard.CHECK_PERIOD_S * 1000)
        subscriber.disable_monitor()
        monitor.close(0)
    assert not left


def test_what_is_read_and_done_with_is_forgiven(watch) -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as server, context.socket(zmq.DEALER) as client:
        watched = Guard(server, ROOMY._replace(burst_bytes=4000, rate_bytes_s=1))
        server.bind(ANY_PORT)
        watched.start(server.getsockopt_string(zmq.LAST_ENDPOINT))
        monitor = client.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        client.connect(server.getsockopt_string(zmq.LAST_ENDPOINT))
        for _ in range(20):
            client.send(bytes(1000))
            assert server.poll(WAIT_S * 1000)
            watched.reset_excess(int(server.recv_multipart(copy=False)[-1].get(zmq.SRCFD)))
            left = monitor.poll(1.5 * guard.CHECK_PERIOD_S * 1000)
            if left:
                break
        client.disable_monitor()
        monitor.close(0)
        watched.close()
    assert not left


def test_where_memory_grows_those_who_sent_much_go(watch, connect, monkeypatch, caplog) -> None:
    growing = itertools.count(100 << 20, guard.MAX_MEMORY_GROWTH_BYTES + 1)
    monkeypatch.setattr(guard, "resident_bytes", lambda: next(growing))
    _, port = watch(Limits(connections=10, burst_bytes=40, rate_bytes_s=1 << 30))
    quiet, loud = connect(port), connect(port)
    loud.sendall(GREETING)
    assert is_cut(loud)
    quiet.settimeout(0.2)
    assert not is_cut(quiet)
    assert "memory has grown by 256 MiB meanwhile" in caplog.text


def test_a_bare_connection_is_let_go(watch, connect, monkeypatch) -> None:
    assert guard.HANDSHAKE_TIMEOUT_MS <= 10_000
    monkeypatch.setattr(guard, "HANDSHAKE_TIMEOUT_MS", 50)
    _, port = watch(ROOMY)
    assert is_cut(connect(port))


def test_a_storm_of_connections_is_said_a_few_times(watch, connect, caplog) -> None:
    _, port = watch(ROOMY._replace(connections=0))
    for _ in range(30):
        assert is_cut(connect(port))
    assert 1 <= len([record for record in caplog.records if record.levelno == logging.WARNING]) <= 6


def test_connections_within_a_machine_are_counted_too(watch, tmp_path) -> None:
    watch(ROOMY._replace(connections=1), f"ipc://{tmp_path}/port")
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        for sock in (first, second):
            sock.settimeout(WAIT_S)
            sock.connect(str(tmp_path / "port"))
        assert first.recv(1) == GREETING[:1]
        assert is_cut(second)


def test_nothing_is_left_behind() -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    with zmq.Context() as context:
        for _ in range(5):
            with context.socket(zmq.ROUTER) as sock:
                watched = Guard(sock, ROOMY)
                sock.bind(ANY_PORT)
                watched.start(sock.getsockopt_string(zmq.LAST_ENDPOINT))
                watched.close()
            with context.socket(zmq.ROUTER) as sock:  # one that could not be bound
                Guard(sock, ROOMY).close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("guard of")]
    assert len(os.listdir("/proc/self/fd")) <= descriptors  # others' may be closed meanwhile
