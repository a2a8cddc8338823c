"""Server that may stop answering and come back: who asks waits no longer than agreed, and it is looked for meanwhile.

While it answers, requests go through. The first one that is not answered makes it silent: from then on requests are
given up at once, or wait for it as long as `Patience` says, and a thread connects anew until the server has the
bundle's models and computes the golden vectors again, whatever it was restarted with.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ...bundle.load import Bundle
from ...bundle.manifest import GraphName
from ...errors import EngineError, UnansweredError
from ...system.logs import RateLimitedLog
from ..base import Array
from ..patience import Patience
from ..proof import describe_failures, prove
from .address import ServerAddress
from .connection import Connection, LateError
from .graph import RemoteGraph
from .models import ServerInfo, check_server
from .names import model_version

LOOK_S = 0.5
"""Seconds between two attempts to find a server that is silent."""
TRIES = 3
"""Number of times that a request without a deadline of its own is begun, at most."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Connected:
    """Backend of one connection, which is checked: the server has the bundle's models."""

    connection: Connection
    name: str
    about: str
    image_encoder: RemoteGraph
    audio_encoder: RemoteGraph
    fusion: RemoteGraph

    def close(self) -> None:
        """Give back shared memory and close the connection."""
        for graph in (self.image_encoder, self.audio_encoder, self.fusion):
            graph.close()
        self.connection.close()


def connect(address: ServerAddress, bundle: Bundle, patience: Patience) -> Connected:
    """Connect to a server; EngineError where it does not answer or has other models."""
    connection, graphs = Connection(address), dict[GraphName, RemoteGraph]()
    try:
        info = check_server(connection, bundle, patience.request_s)
        for name in bundle.manifest.graphs.by_name():
            graphs[name] = RemoteGraph(connection, bundle, name, patience)
    except BaseException:
        for graph in graphs.values():
            graph.close()
        connection.close()
        raise
    about = f"{info.name} {info.version} at {address.text}, models in version {model_version(bundle.manifest)}"
    return Connected(connection, published_name(info), about, **graphs)


def published_name(info: ServerInfo) -> str:
    """Return the name of a backend, e.g. `triton-2.51.0`, with the name of a server that is another one."""
    return f"triton-{info.version}" if info.name == "triton" else f"triton-{info.version} ({info.name})"


class Server:
    """Server and the connection to it, used by one thread."""

    def __init__(self, address: ServerAddress, bundle: Bundle, patience: Patience, *, is_waited_for: bool) -> None:
        """Make a server that is not connected; with `is_waited_for`, `patience` says how long it may be silent."""
        self._address, self._bundle, self._patience = address, bundle, patience
        self._is_waited_for = is_waited_for
        self._connected: Connected | None = None
        self._answers = threading.Event()
        self._proven: set[GraphName] = set()
        self._problem = EngineError(f"{address.text} has not been asked yet")
        self._tell = RateLimitedLog(log)

    def open(self) -> None:
        """Connect; EngineError where the server does not answer or has other models."""
        self._connected = connect(self._address, self._bundle, self._patience)
        self._answers.set()

    @property
    def name(self) -> str:
        """Name to publish, as the server said last; `triton` before it has."""
        return self._connected.name if self._connected else "triton"

    @property
    def about(self) -> str:
        """Description of the server for people."""
        return self._connected.about if self._connected else f"{self._address.text}, which has not answered yet"

    def run(self, graph: GraphName, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs of a graph; UnansweredError where the server gives none in time.

        A graph that has never been computed fails with the error as it is: that is no outage.
        """
        for _ in range(TRIES):
            waited_s = self._patience.outage_s if self._is_waited_for else 0.0
            if not self._answers.wait(waited_s):
                break
            try:
                outputs = self._ask(graph, inputs)
            except EngineError as error:
                if graph not in self._proven:
                    raise
                self.seek(error)
                if not waited_s:
                    break
            else:
                self._proven.add(graph)
                return outputs
        raise UnansweredError(f"no result: {self._problem.what}", "start the server again, or see its log")

    def _ask(self, graph: GraphName, inputs: Mapping[str, Array]) -> dict[str, Array]:
        assert self._connected is not None, "a server that answers is connected"
        asked: RemoteGraph = getattr(self._connected, graph)
        return asked(inputs)

    def seek(self, problem: EngineError) -> None:
        """Hold the server for silent because of a problem, and look for it in a thread until it is back."""
        self._problem = problem
        self._answers.clear()
        self._proven.update(self._bundle.manifest.graphs.by_name())
        self._tell(logging.WARNING, "%s: looking for it from now on", problem.what)
        threading.Thread(target=self._seek, name="foal-edge: server", daemon=True, args=(problem,)).start()

    def _seek(self, problem: EngineError) -> None:
        """Prove the connection again if a result was late, else connect anew, until the golden vectors are right."""
        began_s, told, connected = time.monotonic(), "", self._connected
        while True:
            try:
                if connected is not None and not self._stands_after(problem):
                    connected.close()
                    connected = None
                connected = connected or connect(self._address, self._bundle, self._patience)
                self._prove(connected)
            except EngineError as error:
                self._problem = problem = error
                if not isinstance(error, UnansweredError) and error.what != told:
                    told = error.what
                    self._tell(logging.WARNING, "%s", error)
                time.sleep(LOOK_S)
            else:
                break
        self._connected = connected
        self._tell(logging.WARNING, "%s answers again, after %.1f s", self._address.text, time.monotonic() - began_s)
        self._answers.set()

    def _stands_after(self, problem: EngineError) -> bool:
        """Return whether a connection can be used after a problem; in shared memory a late result may still arrive."""
        return isinstance(problem, LateError) and not self._address.shares_memory

    def _prove(self, connected: Connected) -> None:
        """Raise EngineError where the golden vectors are not right over a connection, or it fails."""
        wrong = describe_failures(self._bundle, connected, prove(self._bundle, connected))
        if wrong:
            raise EngineError(wrong, "give the server the models of this bundle: python -m export triton")
