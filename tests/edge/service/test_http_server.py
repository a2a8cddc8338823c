"""Odd requests to the metrics page: too many, too slow, under another's name; it goes on answering."""

import http.client
import random
import socket
import threading
from collections.abc import Iterator

import pytest

from edge.service import http_server
from edge.service.http_server import MAX_CONCURRENT_REQUESTS
from edge.service.prometheus import MetricsEndpoint

WAIT_S = 60


@pytest.fixture
def page() -> Iterator[MetricsEndpoint]:
    page = MetricsEndpoint(0)
    yield page
    page.close()


def connect(page: MetricsEndpoint) -> socket.socket:
    return socket.create_connection(("127.0.0.1", page.port), timeout=WAIT_S)


def answer(page: MetricsEndpoint, request: bytes) -> bytes:
    """All that comes; nothing where the connection is cut off."""
    with connect(page) as sock:
        try:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(65536), b""))
        except OSError:
            return b""


def status(page: MetricsEndpoint, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=WAIT_S)
    connection.putrequest("GET", "/metrics", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    found = connection.getresponse().status
    connection.close()
    return found


def drip(sock: socket.socket) -> None:
    for _ in range(WAIT_S * 50):
        sock.sendall(b"G")
        threading.Event().wait(0.02)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LocalHost"])
def test_this_machine_is_answered_by_its_names(page, name: str) -> None:
    assert status(page, f"{name}:{page.port}") == 200
    assert status(page, name) == 200


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:{port}", "localhost.example.org:{port}", "127.0.0.1:1", "192.0.2.1:{port}", ""]
)
def test_another_name_is_refused_with_those_that_are_answered(page, host: str) -> None:
    host = host.format(port=page.port)
    assert status(page, host) == 403
    said = answer(page, f"GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()).decode()
    assert f"this page answers to localhost:{page.port}, 127.0.0.1:{page.port}, [::1]:{page.port} only" in said
    assert "python_info" not in said


def test_a_request_without_a_host_is_no_browsers(page) -> None:
    assert b" 200 OK" in answer(page, b"GET /metrics HTTP/1.0\r\n\r\n")


def test_two_hosts_are_none(page) -> None:
    hosts = f"Host: localhost:{page.port}\r\nHost: example.org\r\n".encode()
    assert b" 403 " in answer(page, b"GET / HTTP/1.0\r\n" + hosts + b"\r\n")


def test_who_comes_beyond_the_room_is_sent_away_until_there_is_some(page) -> None:
    silent = [connect(page) for _ in range(MAX_CONCURRENT_REQUESTS)]
    with connect(page) as one_more:
        assert one_more.recv(1) == b""
    for sock in silent:
        sock.close()
    for _ in range(WAIT_S * 20):
        if b" 200 OK" in answer(page, b"GET / HTTP/1.0\r\n\r\n"):
            break
        threading.Event().wait(0.05)
    else:
        raise AssertionError("no room again")


def test_a_request_that_drips_is_given_up_though_it_is_never_silent(page, monkeypatch) -> None:
    assert http_server.REQUEST_TIMEOUT_S <= 10
    monkeypatch.setattr(http_server, "REQUEST_TIMEOUT_S", 0.2)
    with connect(page) as sock, pytest.raises((BrokenPipeError, ConnectionResetError)):
        drip(sock)


def test_odd_requests_leave_it_as_it_was(page, capfd) -> None:
    chance = random.Random(5)
    line = f"GET /metrics HTTP/1.1\r\nHost: localhost:{page.port}\r\n\r\n".encode()
    odd = [b"", b"\r\n", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.0\r\nContent-Length: -1\r\n\r\nx"]
    odd += [b"GET / HTTP/1.0\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n"]
    odd += [bytes(chance.choices(line, k=chance.randrange(200))) for _ in range(100)]
    odd += [chance.randbytes(chance.randrange(200)) for _ in range(100)]
    for request in odd:
        answer(page, request)
    assert status(page, f"localhost:{page.port}") == 200
    assert capfd.readouterr().err == ""
