"""The socket of the page: on loopback, at the usual port where that is free."""

import socket

import pytest

from edge.errors import PublishError
from edge.view import listening
from edge.view.listening import listen, page_address


def test_the_page_is_on_loopback():
    with listen(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert page_address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}/"


def test_a_port_that_was_asked_for_and_is_taken_is_an_error():
    with listen(0) as sock, pytest.raises(PublishError, match=r"Address already in use; give another --port, or 0"):
        listen(sock.getsockname()[1])


def test_the_usual_port_gives_way_to_any(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(listening, "DEFAULT_PORT", taken.getsockname()[1])
        with listen(None) as sock:
            assert sock.getsockname()[1] not in (0, taken.getsockname()[1])
