"""The server of the page: how it starts, whom it answers, how it ends."""

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.edge.made_messages import WAIT_S

NOBODY = "tcp://127.0.0.1:9"


def get(address: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=WAIT_S) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), {}


def test_the_page_is_served_to_this_machine_alone(view: Callable[..., Any]):
    page = view("--port", "0", "--connect", NOBODY)
    status, html, headers = get(page.address)
    assert status == 200
    assert "<title>foal-edge view</title>" in html
    assert 'lang="en-US"' in html
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert get(page.address, Host="evil.example")[0] == 403
    assert get(page.address, Origin="http://evil.example")[0] == 403
    socket_path = "_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert get(page.address + socket_path)[0] == 200
    assert get(page.address + socket_path, Origin="http://evil.example")[0] == 403  # NiceGUI itself lets any connect
    assert get(page.address + "openapi.json")[0] == 404
    status, said = page.end()
    assert (status, said.count("\n")) == (0, 1)
    assert "openapi.json not found" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(view: Callable[..., Any], number: int):
    page = view("--port", "0", "--connect", NOBODY)
    os.kill(page.process.pid, number)
    _, said = page.process.communicate(timeout=WAIT_S)
    assert (page.process.returncode, said) == (0, "")
