"""Addresses of this machine alone, and what wakes a thread that waits for a socket."""

import socket
import threading

import pytest
import zmq

from edge.errors import PublishError, UsageError
from edge.wire.sockets import WakeupPipe, bind, connect
from tests.edge.made_messages import WAIT_S


def polled(wakeup: WakeupPipe, timeout_ms: int) -> bool:
    poller = zmq.Poller()
    poller.register(wakeup, zmq.POLLIN)
    return bool(poller.poll(timeout_ms))


def test_an_ipc_address_is_not_taken_from_who_has_it(tmp_path) -> None:
    address = f"ipc://{tmp_path}/socket"
    with zmq.Context() as context, context.socket(zmq.PUB) as first, context.socket(zmq.PUB) as second:
        assert bind(first, address, None, "publish", "--bind") == address
        with pytest.raises(PublishError, match=f"cannot publish at {address}: Address already in use"):
            bind(second, address, None, "publish", "--bind")


def test_a_socket_that_a_killed_program_left_is_no_hindrance(tmp_path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/left")
    with zmq.Context() as context, context.socket(zmq.PUB) as sock:
        assert bind(sock, f"ipc://{tmp_path}/left", None, "publish", "--bind") == f"ipc://{tmp_path}/left"


def test_a_file_is_not_replaced_by_a_socket(tmp_path) -> None:
    (tmp_path / "thesis").write_text("all of it")
    with zmq.Context() as context, context.socket(zmq.PUB) as sock, pytest.raises(PublishError, match="in use"):
        bind(sock, f"ipc://{tmp_path}/thesis", None, "publish", "--bind")
    assert (tmp_path / "thesis").read_text() == "all of it"


def test_it_wakes_once_for_all_calls_before_it_is_drained() -> None:
    wakeup = WakeupPipe()
    assert not polled(wakeup, 0)
    for _ in range(3):
        wakeup.wake()
    assert polled(wakeup, 0)
    wakeup.drain()
    assert not polled(wakeup, 0)
    wakeup.drain()
    wakeup.close()


def test_it_wakes_another_thread() -> None:
    wakeup = WakeupPipe()
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(polled(wakeup, WAIT_S * 1000)))
    thread.start()
    wakeup.wake()
    thread.join()
    wakeup.close()
    assert woken == [True]


def test_calling_never_waits_however_little_is_drained() -> None:
    wakeup = WakeupPipe()
    for _ in range(10_000):
        wakeup.wake()
    assert polled(wakeup, 0)
    while polled(wakeup, 0):
        wakeup.drain()
    wakeup.wake()
    assert polled(wakeup, 0)
    wakeup.close()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:65536", "tcp://127.0.0.1:70000", "tcp://[::1]:99999"])
def test_a_port_above_the_largest_is_not_taken_for_another_one(address: str) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as publishing, context.socket(zmq.SUB) as subscribing:
        with pytest.raises(UsageError, match="there is no port"):
            bind(publishing, address, None, "publish", "--bind")
        with pytest.raises(UsageError, match="there is no port"):
            connect(subscribing, address, None)
