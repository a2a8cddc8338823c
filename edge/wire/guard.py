"""Bounds of what strangers cost at a port: how many connect, how much each sends, how far memory grows meanwhile.

libzmq bounds a frame and not a message, and keeps every subscription: so what a connection may send is bounded.
"""

import logging
import resource
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.utils.monitor import recv_monitor_message

from ..system.logs import RateLimitedLog
from .connection import Glass

LOOK_S = 0.1
"""Between two looks at what each connection has sent; where there is none nothing is looked at."""
MOST_GROWTH_BYTES = 256 << 20
"""Of the process while somebody is connected; beyond it all go that have ever sent more than a burst."""
HANDSHAKE_MS = 5000
"""Who has not shown by then that it speaks ZeroMQ, and its key, is let go."""
KEEPALIVE = {zmq.TCP_KEEPALIVE: 1, zmq.TCP_KEEPALIVE_IDLE: 30, zmq.TCP_KEEPALIVE_INTVL: 10, zmq.TCP_KEEPALIVE_CNT: 3}
"""A machine that has gone without a word is given up after a minute."""
EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_MONITOR_STOPPED

log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """What a port puts up with."""

    connections: int
    burst_bytes: int
    """What one connection may send at once,"""
    rate_bytes_s: int
    """and from then on."""


@dataclass
class Peer:
    """A connection."""

    sent: int = 0
    """Bytes, ever."""
    ahead: float = 0.0
    """Bytes beyond what its rate allows."""
    is_cut: bool = False


class Guard:
    """Watches a socket's connections from a thread of its own, and cuts off those beyond the limits.

    Made before the socket binds, so that none is missed; `start` it afterwards.
    """

    def __init__(self, sock: "zmq.Socket[bytes]", limits: Limits) -> None:
        self._watched, self._limits = sock, limits
        sock.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        for option, value in KEEPALIVE.items():
            sock.setsockopt(option, value)
        self._monitor = sock.get_monitor_socket(EVENTS)
        self._peers: dict[int, Peer] = {}
        self._resident = resident_bytes()
        self._looked_s = time.monotonic()
        self._say = RateLimitedLog(log)
        self._thread: threading.Thread | None = None

    def start(self, address: str) -> None:
        """Watch the socket, which is bound at this address."""
        self._address, self._glass = address, Glass(address)
        # a daemon, as what comes after it may fail: nobody closes it then, and the program is to end all the same
        self._thread = threading.Thread(target=self._run, name=f"guard of {address}", daemon=True)
        self._thread.start()

    def forgive(self, descriptor: int) -> None:
        """What a connection has sent so far is read and done with; from any thread."""
        peer = self._peers.get(descriptor)
        if peer is not None:
            peer.ahead = 0.0

    def _run(self) -> None:
        while True:
            timeout_s = LOOK_S if self._peers else None
            if self._monitor.poll(None if timeout_s is None else round(timeout_s * 1000)):
                event = recv_monitor_message(self._monitor)
                if event["event"] == zmq.EVENT_MONITOR_STOPPED:
                    return
                self._note(int(event["event"]), int(event["value"]))
            if time.monotonic() - self._looked_s >= LOOK_S:
                self._look()

    def _note(self, event: int, descriptor: int) -> None:
        if event == zmq.EVENT_DISCONNECTED:
            self._peers.pop(descriptor, None)
            return
        if not self._peers:
            self._resident = resident_bytes()
        self._peers[descriptor] = Peer()
        if len(self._peers) > self._limits.connections:
            self._cut(descriptor, f"there are {self._limits.connections} connections already")

    def _look(self) -> None:
        now_s = time.monotonic()
        allowed = (now_s - self._looked_s) * self._limits.rate_bytes_s
        self._looked_s = now_s
        for descriptor, peer in self._peers.items():
            sent = self._glass.received(descriptor)
            if sent is None or peer.is_cut:
                continue
            peer.ahead = max(0.0, peer.ahead + sent - peer.sent - allowed)
            peer.sent = sent
            if peer.ahead > self._limits.burst_bytes:
                self._cut(descriptor, f"it sent {peer.ahead:.0f} bytes more than anybody needs to")
        grown = resident_bytes() - self._resident
        if grown > MOST_GROWTH_BYTES:
            self._relieve(grown)

    def _relieve(self, grown: int) -> None:
        for descriptor, peer in self._peers.items():
            if peer.sent > self._limits.burst_bytes and not peer.is_cut:
                self._cut(descriptor, f"it sent {peer.sent} bytes, and memory has grown by {grown >> 20} MiB meanwhile")
        self._resident = resident_bytes()

    def _cut(self, descriptor: int, reason: str) -> None:
        self._peers[descriptor].is_cut = True
        if self._glass.cut(descriptor):
            self._say(logging.WARNING, "a client of %s is cut off: %s", self._address, reason)

    def close(self) -> None:
        """Watch no more; before the socket closes, in the thread that closes it."""
        self._watched.disable_monitor()
        if self._thread is not None:
            self._thread.join()
            self._glass.close()
        self._monitor.close(0)


def resident_bytes() -> int:
    """Memory that the process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
