"""Whom the page's server answers: this machine's own pages and nobody else's."""

import asyncio

import pytest

pytest.importorskip("starlette", reason="the page's server needs foal-edge[view]")

from edge.view.local_only import POLICY, VIOLATION, LocalOnly


async def app(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def answer(kind: str, headers: dict[str, str]) -> list[dict]:
    sent: list[dict] = []

    async def send(message) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "http.request"}

    scope = {"type": kind, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    asyncio.run(LocalOnly(app)(scope, receive, send))
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8556", "localhost:8556", "localhost"])
def test_this_machine_is_answered_with_the_policy(host: str):
    (start,) = answer("http", {"host": host, "origin": f"http://{host}"})
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-security-policy"].decode() == POLICY


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8556"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "127.0.0.1:8556", "origin": "https://evil.example"},
        {"host": "127.0.0.1:8556", "origin": "null"},
        {},
    ],
    ids=str,
)
def test_other_sites_are_refused(headers: dict[str, str]):
    assert answer("http", headers)[0]["status"] == 403
    assert answer("websocket", headers) == [{"type": "websocket.close", "code": VIOLATION}]


def test_nothing_may_be_loaded_from_elsewhere():
    assert "http" not in POLICY
    assert "*" not in POLICY
