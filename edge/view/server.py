"""Server of the page: on loopback, for this machine's own pages, with nothing from outside in it."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from .listening import page_address
from .local_only import LocalOnly
from .page import TITLE, Page
from .runtimes import Runtimes

CLOSE_S = 1
"""Time that open pages have to take the end."""
RECONNECT_S = 15.0
"""Time that a page has to connect again, after which it is built anew; NiceGUI pings it at four fifths of that. A busy
machine breaks off what has no more than the default, 3 s."""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#16202a"/>'
    '<path d="M2 9l4-2 4 3 4-4v7H2z" fill="#e69f00"/><path d="M2 5l4-1 4 2 4-3v3l-4 4-4-3-4 2z" fill="#56b4e9"/></svg>'
)

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Server that leaves signals to the program."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers: uvicorn's raise each signal a second time, which would end the program by force."""
        yield


def serve(runtimes: Runtimes, listening: socket.socket, stop: threading.Event, on_start: Callable[[str], None]) -> None:
    """Show the runtimes at a listening socket until `stop` is set; `on_start` gets the page's address."""
    failures: list[BaseException] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                failures.append(error)
                stop.set()

        async def await_stop() -> None:
            await asyncio.to_thread(stop.wait)
            server.should_exit = True

        tasks = [asyncio.create_task(work) for work in (await_stop(), runtimes.follow())]
        for task in tasks:
            task.add_done_callback(ended)
        on_start(page_address(listening))
        yield
        stop.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    app.add_middleware(LocalOnly)

    @ui.page("/")
    def _build() -> None:
        Page(runtimes)

    ui.run_with(
        app,
        title=TITLE,
        favicon=ICON,
        dark=None,
        language="en-US",
        tailwind=False,
        reconnect_timeout=RECONNECT_S,
        binding_refresh_interval=None,
        show_welcome_message=False,
    )
    server = Server(
        uvicorn.Config(app, log_level="warning", access_log=False, loop="asyncio", timeout_graceful_shutdown=CLOSE_S)
    )
    with closing(listening):
        server.run(sockets=[listening])
    if failures:
        raise failures[0]
