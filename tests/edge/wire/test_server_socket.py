"""The server socket: what it binds and what it leaves behind."""

import os
import threading

import pytest
import zmq

from edge.errors import PublishError
from edge.wire.guard import Limits
from edge.wire.keys import ServerKeys
from edge.wire.server_socket import ServerSocket
from tests.edge.made_messages import ANY_PORT

LIMITS = Limits(connections=1, burst_bytes=1 << 10, rate_bytes_s=1 << 10)


def test_it_binds_with_its_options_and_tells_the_port_that_it_got() -> None:
    server = ServerSocket(zmq.ROUTER, {zmq.RCVHWM: 7}, LIMITS, None)
    address = server.bind(ANY_PORT, "answer", "--control")
    assert server.socket.getsockopt(zmq.RCVHWM) == 7
    assert server.socket.getsockopt_string(zmq.LAST_ENDPOINT) == address != ANY_PORT
    server.close()


@pytest.mark.parametrize("has_keys", [False, True])
def test_an_address_that_cannot_be_had_leaves_nothing_behind(tmp_path, has_keys: bool) -> None:
    keys = ServerKeys(*zmq.curve_keypair(), tmp_path) if has_keys else None
    before, descriptors = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    with pytest.raises(PublishError, match=r"cannot answer at tcp://192\.0\.2\.1:1"):
        ServerSocket(zmq.ROUTER, {}, LIMITS, keys).bind("tcp://192.0.2.1:1", "answer", "--control")
    assert set(threading.enumerate()) <= before
    assert len(os.listdir("/proc/self/fd")) <= descriptors
