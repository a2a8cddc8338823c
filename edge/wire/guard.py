"""Limits on the peers of a ZeroMQ socket: the number of connections, the bytes that each sends, and memory growth.

libzmq limits the size of a frame but not that of a message, and keeps every subscription. So the bytes that a
connection may send are limited here.
"""

import logging
import resource
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import zmq

from ..system.logs import RateLimitedLog
from .connection import ConnectionProbe

CHECK_PERIOD_S = 0.1
"""Time between two checks of what each peer has sent; nothing is checked while there are no peers."""
MAX_MEMORY_GROWTH_BYTES = 256 << 20
"""Growth of the process's memory while peers are connected, beyond which all peers that ever sent more than a burst
are disconnected."""
HANDSHAKE_TIMEOUT_MS = 5000
"""Time within which a peer must have spoken ZeroMQ and shown its key."""
KEEPALIVE = {zmq.TCP_KEEPALIVE: 1, zmq.TCP_KEEPALIVE_IDLE: 30, zmq.TCP_KEEPALIVE_INTVL: 10, zmq.TCP_KEEPALIVE_CNT: 3}
"""Options by which a peer whose machine has vanished is disconnected after a minute."""
EVENT = struct.Struct("=Hi")
"""Layout of a monitor's first frame, its event and the event's value; pyzmq's own reader would import asyncio."""
EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_MONITOR_STOPPED

log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """Limits of a socket's peers."""

    connections: int
    """Largest number of connections."""
    burst_bytes: int
    """Bytes that one peer may send at once (the size of its token bucket)."""
    rate_bytes_s: int
    """Bytes a second that one peer may send continuously."""


@dataclass
class Peer:
    """Bytes sent by one peer."""

    sent_bytes: int = 0
    """Bytes since it connected."""
    excess_bytes: float = 0.0
    """Bytes beyond its rate, which may reach `burst_bytes`."""
    is_disconnected: bool = False


class Guard:
    """Thread that monitors a socket's peers and disconnects those beyond the limits.

    Make the guard before the socket binds, so that no connection is missed, and `start` it afterwards.
    """

    def __init__(self, sock: "zmq.Socket[bytes]", limits: Limits) -> None:
        self._socket, self._limits = sock, limits
        sock.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_TIMEOUT_MS)
        for option, value in KEEPALIVE.items():
            sock.setsockopt(option, value)
        self._monitor = sock.get_monitor_socket(EVENTS)
        self._peers: dict[int, Peer] = {}
        self._resident_bytes = resident_bytes()
        self._checked_s = time.monotonic()
        self._log = RateLimitedLog(log)
        self._thread: threading.Thread | None = None

    def start(self, address: str) -> None:
        """Start monitoring the socket, which is bound at this address."""
        self._address, self._probe = address, ConnectionProbe(address)
        # A daemon thread: if a later step of the start fails nobody closes the guard, and the program must still end.
        self._thread = threading.Thread(target=self._run, name=f"guard of {address}", daemon=True)
        self._thread.start()

    def reset_excess(self, descriptor: int) -> None:
        """Forget what a peer has sent beyond its rate, as it has been read and answered; from any thread."""
        peer = self._peers.get(descriptor)
        if peer is not None:
            peer.excess_bytes = 0.0

    def _run(self) -> None:
        while True:
            timeout_s = CHECK_PERIOD_S if self._peers else None
            if self._monitor.poll(None if timeout_s is None else round(timeout_s * 1000)):
                event, value = EVENT.unpack(self._monitor.recv_multipart()[0])
                if event == zmq.EVENT_MONITOR_STOPPED:
                    return
                self._update_peers(event, value)
            if time.monotonic() - self._checked_s >= CHECK_PERIOD_S:
                self._check_peers()

    def _update_peers(self, event: int, descriptor: int) -> None:
        if event == zmq.EVENT_DISCONNECTED:
            self._peers.pop(descriptor, None)
            return
        if not self._peers:
            self._resident_bytes = resident_bytes()
        self._peers[descriptor] = Peer()
        if len(self._peers) > self._limits.connections:
            self._disconnect(descriptor, f"there are {self._limits.connections} connections already")

    def _check_peers(self) -> None:
        now_s = time.monotonic()
        allowed_bytes = (now_s - self._checked_s) * self._limits.rate_bytes_s
        self._checked_s = now_s
        for descriptor, peer in self._peers.items():
            sent_bytes = self._probe.bytes_received(descriptor)
            if sent_bytes is None or peer.is_disconnected:
                continue
            peer.excess_bytes = max(0.0, peer.excess_bytes + sent_bytes - peer.sent_bytes - allowed_bytes)
            peer.sent_bytes = sent_bytes
            if peer.excess_bytes > self._limits.burst_bytes:
                self._disconnect(descriptor, f"it sent {peer.excess_bytes:.0f} bytes more than its rate allows")
        growth_bytes = resident_bytes() - self._resident_bytes
        if growth_bytes > MAX_MEMORY_GROWTH_BYTES:
            self._relieve_memory(growth_bytes)

    def _relieve_memory(self, growth_bytes: int) -> None:
        for descriptor, peer in self._peers.items():
            if peer.sent_bytes > self._limits.burst_bytes and not peer.is_disconnected:
                growth = f"memory has grown by {growth_bytes >> 20} MiB meanwhile"
                self._disconnect(descriptor, f"it sent {peer.sent_bytes} bytes, and {growth}")
        self._resident_bytes = resident_bytes()

    def _disconnect(self, descriptor: int, reason: str) -> None:
        self._peers[descriptor].is_disconnected = True
        if self._probe.shut_down(descriptor):
            self._log(logging.WARNING, "a client of %s was disconnected: %s", self._address, reason)

    def close(self) -> None:
        """Stop monitoring; call it before the socket closes, in the thread that closes it."""
        self._socket.disable_monitor()
        if self._thread is not None:
            self._thread.join()
            self._probe.close()
        self._monitor.close(0)


def resident_bytes() -> int:
    """Return the resident memory of the process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
