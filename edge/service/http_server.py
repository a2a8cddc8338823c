"""HTTP server of the metrics page: limited in concurrency and time, and answering to the names of this machine only."""

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

MAX_CONCURRENT_REQUESTS = 8
"""Number of requests handled at the same time; further ones are closed unanswered."""
REQUEST_TIMEOUT_S = 5
"""Time for a request and its answer together, and the longest silence of a client."""
DESCRIPTOR_RETRY_S = 0.2
"""Pause before the next connection is accepted, after the process has run out of file descriptors."""
HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""Names of this machine that a request's `Host` may have. Under DNS rebinding, when a stranger's web page leads a
browser to this server, `Host` is another name."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger(__name__)


class ThreadedServer(ThreadingMixIn, WSGIServer):
    """WSGI server with one daemon thread a request, limited in number and time."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self._free = threading.BoundedSemaphore(MAX_CONCURRENT_REQUESTS)
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; without free descriptors, pause before raising OSError: the caller retries at once."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                time.sleep(DESCRIPTOR_RETRY_S)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a request in a new thread, or close it if there are too many already."""
        if not self._free.acquire(blocking=False):
            log.debug("refused a scrape from %s: %d are in progress", client_address, MAX_CONCURRENT_REQUESTS)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle a request in its thread, and end the connection after `REQUEST_TIMEOUT_S`."""
        timer = threading.Timer(REQUEST_TIMEOUT_S, shut_down, [request])
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # no thread could be started
            self.handle_error(request, client_address)
            shut_down(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log the error of a request at debug level: a client that disconnects deserves no traceback on stderr."""
        log.debug("a scrape from %s failed", client_address, exc_info=True)


class RequestHandler(WSGIRequestHandler):
    """Request handler that gives up silent clients and does not log requests."""

    timeout = REQUEST_TIMEOUT_S

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: scrapes come every few seconds."""


def shut_down(request: socket.socket) -> None:
    """End a connection that another thread reads or writes."""
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("a scrape ended just before its timeout")


def require_local_host(application: Application) -> Application:
    """Wrap an application so that requests whose `Host` is not a name of this machine are refused (403).

    Requests without `Host` are answered: every browser sends it.
    """

    def answer(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        port = environment["SERVER_PORT"]
        host = environment.get("HTTP_HOST")
        if host is None or host.lower() in {spelling for name in HOSTS for spelling in (name, f"{name}:{port}")}:
            return application(environment, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"this page answers to {', '.join(f'{name}:{port}' for name in HOSTS)} only\n".encode()]

    return answer
