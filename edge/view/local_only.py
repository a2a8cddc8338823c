"""Requests and answers of the page kept to this machine."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
"""Names of this machine that a request's `Host` and `Origin` may have. A stranger's web page that leads a browser here
has others: NiceGUI itself lets every origin connect."""
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Content-Security-Policy: whatever the page's libraries come to do, a browser loads nothing from elsewhere."""
VIOLATION = 1008
"""Code of a WebSocket that is closed because of what the client is."""


class LocalOnly:
    """Middleware that refuses requests of other sites, and lets pages load from this server alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif not is_local(Headers(scope=scope)):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": VIOLATION})
            else:
                await PlainTextResponse("only pages of this machine are answered", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, with_policy(send))


def is_local(headers: Headers) -> bool:
    """Return whether a request was made to this machine by name, and by none but its own page."""
    named = [urlsplit(f"//{headers.get('host', '')}"), *map(urlsplit, headers.getlist("origin"))]
    return all(each.hostname in HOSTS for each in named)


def with_policy(send: Send) -> Send:
    """Return a function that sends what `send` does, with the headers of security."""

    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = POLICY
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
        await send(message)

    return send_with_policy
