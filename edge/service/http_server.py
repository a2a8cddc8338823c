"""The HTTP server of the metrics page: a few requests at a time, each of them short, from this machine by its name."""

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

MOST_AT_ONCE = 8
"""Requests; who comes beyond that is sent away."""
PATIENCE_S = 5
"""How long a request and its answer may take together, and a scraper be silent before."""
PAUSE_S = 0.2
NAMES = ("localhost", "127.0.0.1", "[::1]")
"""What a request may call this machine. A browser sends another name where a stranger's page has led it here."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger(__name__)


class Server(ThreadingMixIn, WSGIServer):
    """A thread a scrape; none keeps the program from ending."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection; where no descriptor is left it waits a little, as nothing else would."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                time.sleep(PAUSE_S)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, where there is room."""
        if not self._room.acquire(blocking=False):
            log.debug("a scrape from %s was sent away: %d are under way", client_address, MOST_AT_ONCE)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread can be had
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The whole of it, in so much time."""
        deadline = threading.Timer(PATIENCE_S, cut, [request])
        deadline.daemon = True
        try:
            deadline.start()
        except RuntimeError:  # no thread can be had
            self.handle_error(request, client_address)
            cut(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A scraper that hangs up, or says nothing, is worth a line where one looks for it, and no traceback."""
        log.debug("a scrape from %s was cut off", client_address, exc_info=True)


class Handler(WSGIRequestHandler):
    """Gives up a silent scraper, and logs none."""

    timeout = PATIENCE_S

    def log_message(self, format: str, *args: object) -> None:
        """A scrape is no news."""


def cut(request: socket.socket) -> None:
    """End a connection that another thread reads or writes."""
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a scrape had ended just when its time was over")


def only_by_name(application: Application) -> Application:
    """An application that answers where `Host` is this machine, and refuses elsewhere."""

    def answer(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        port = environment["SERVER_PORT"]
        host = environment.get("HTTP_HOST")
        if host is None or host.lower() in {spelled for name in NAMES for spelled in (name, f"{name}:{port}")}:
            return application(environment, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"this page answers to {', '.join(f'{name}:{port}' for name in NAMES)} alone\n".encode()]

    return answer
