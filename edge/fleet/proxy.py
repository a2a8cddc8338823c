"""Proxy: one address for the messages of many nodes.

Nodes behind addresses of their own are connected to (`nodes`). Others, behind a firewall or NAT, connect themselves:
there a proxy that sends on (`to`), here a gate (`gate`).
"""

import logging
import os
import threading
import time
from contextlib import ExitStack
from uuid import uuid4

import zmq

from ..clock import Clock, SystemClock
from ..system.versions import program_version
from ..validation import UNREADABLE
from ..wire.addresses import control_address
from ..wire.clock_offset import ClockOffset
from ..wire.control_messages import NodeState
from ..wire.control_server import ControlServer
from ..wire.keys import ServerKeys, load_server_keys
from ..wire.messages import Message, Stats, decode
from ..wire.publishing_socket import LIMITS, PublishingSocket
from ..wire.server_socket import ServerSocket
from ..wire.sockets import WakeupPipe, connect
from .clock_watch import ClockWatch
from .forwarding import Forwarding
from .links import LIVENESS, SEND_HIGH_WATER_MARK, Gate, Link, set_options
from .member import Member
from .settings import Settings, check_settings, gate_control_address

SUBSCRIBER_HIGH_WATER_MARK = 4096
"""Number of messages that wait for one slow subscriber. A new one gets the last messages of a thousand streams at
once."""
POLL_MS = 500
"""Longest time between two looks for nodes that have fallen silent."""

log = logging.getLogger(__name__)


class Proxy:
    """Thread that forwards the messages of nodes under their names. `stop` is set if it fails; `close` raises why.

    Raises UsageError or PublishError if an address makes no sense or cannot be had.
    """

    def __init__(self, settings: Settings, stop: threading.Event, clock: Clock | None = None) -> None:
        check_settings(settings)
        self._settings, self._stop, self._clock = settings, stop, clock or SystemClock()
        self.session = uuid4().hex
        """Random identifier, which messages carry as `node.proxy`."""
        self._closing = threading.Event()
        self._error: BaseException | None = None
        self._watches: dict[str, ClockWatch] = {}
        self._is_home_silent = False  # the proxy that messages are sent to, when it was asked last
        self.gate_address: str | None = None
        """Address that nodes connect to, with its actual port; None without one."""
        self.gate_control: str | None = None
        """Address of the control port for these nodes."""
        with ExitStack() as opened:
            self._wakeup = WakeupPipe()
            opened.callback(self._wakeup.close)
            keys = load_server_keys(settings.keys) if settings.keys else None
            self._socket = self._open_out(opened, keys)
            out = PublishingSocket[Member](self._socket, lambda member: not member.is_lost)
            members = [Member(node.name, node.peer.address) for node in settings.nodes]
            self.forwarding = Forwarding(
                members, self.session, self._clock, out, self._measure_clock, relays=settings.to is not None
            )
            """Way of the messages through the proxy, with what is known of each node."""
            self._out = out
            context = zmq.Context[zmq.Socket[bytes]]()
            opened.callback(context.destroy, linger=0)
            self._links = {node.name: Link(context, node.peer, settings.topics) for node in settings.nodes}
            self._gate = self._open_gate(opened)
            bound = None if settings.to is not None else self.address
            control = self._serve_control(opened, control_address(bound, settings.control), keys)
            self.control_address = control
            """Address of the control port for subscribers, with its actual port; None without one."""
            self._watch_clocks(opened)
            self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
            self._thread.start()
            self._opened = opened.pop_all()

    def _open_out(self, opened: ExitStack, keys: ServerKeys | None) -> "zmq.Socket[bytes]":
        """Return the socket that messages leave by: bound for subscribers, or connected to the next proxy."""
        if self._settings.to is None:
            assert self._settings.bind is not None  # see `check_settings`
            options = PublishingSocket.options(SUBSCRIBER_HIGH_WATER_MARK)
            server = ServerSocket(zmq.XPUB, options, LIMITS, keys)
            self.address = server.bind(self._settings.bind, "publish", "--bind", may_be_off=False)
            """Address that it publishes at, with the actual port, or that it sends to."""
            opened.callback(server.close)
            return server.socket
        context = zmq.Context[zmq.Socket[bytes]]()
        opened.callback(context.destroy, linger=1000)
        sock = context.socket(zmq.XPUB)
        set_options(sock, {**PublishingSocket.options(SEND_HIGH_WATER_MARK), **LIVENESS})
        connect(sock, self._settings.to.address, self._settings.to.keys, "--to")
        self.address = self._settings.to.address
        return sock

    def _open_gate(self, opened: ExitStack) -> Gate | None:
        if self._settings.gate is None:
            return None
        keys = load_server_keys(self._settings.gate_keys) if self._settings.gate_keys else None
        gate = Gate(self._settings.gate, keys, self._settings.topics)
        opened.callback(gate.close)
        self.gate_address = gate.address
        self.gate_control = self._serve_control(opened, gate_control_address(gate.address), keys, "--nodes")
        return gate

    def _serve_control(
        self, opened: ExitStack, address: str | None, keys: ServerKeys | None, option: str = "--control"
    ) -> str | None:
        """Answer at a control port, which an option gives; return its address with the actual port."""
        if address is None:
            return None
        about = {"proxy": self.session, "publishing": self.address, "version": program_version()}
        about["pid"] = str(os.getpid())
        server = ControlServer(address, about, self.last, self._clock, None, keys, self.states, option)
        opened.callback(server.close)
        return server.address

    def _watch_clocks(self, opened: ExitStack) -> None:
        for node in self._settings.nodes:
            if node.peer.control is not None:
                self._watches[node.name] = ClockWatch(
                    node.name, node.peer, self.forwarding.members[node.name].set_clock
                )
                opened.callback(self._watches[node.name].close)
        if self._settings.to is not None and self._settings.to.control is not None:
            home = ClockWatch("the proxy", self._settings.to, self._set_home)
            home.measure_now()
            opened.callback(home.close)

    def _set_home(self, offset: ClockOffset | None, problem: str | None) -> None:
        if problem is None:
            self.forwarding.home = offset
            if self._is_home_silent:
                log.info("the proxy that %s belongs to answers now", self.address)
        elif not self._is_home_silent:
            log.warning(
                "the proxy that %s belongs to does not answer: %s. Where it cannot be reached, the last %d messages "
                "wait for it, and those before them are lost",
                self.address,
                problem,
                SEND_HIGH_WATER_MARK,
            )
        self._is_home_silent = problem is not None

    def _measure_clock(self, name: str) -> None:
        if name in self._watches:
            self._watches[name].measure_now()

    def states(self) -> list[NodeState]:
        """Return what is known of each node, by name; from any thread."""
        return self.forwarding.states()

    def last(self) -> list[Message]:
        """Return the last message of every stream of the nodes that are heard; from any thread."""
        messages = (decode_known(body) for member, body in self._out.cache.values() if not member.is_lost)
        return [message for message in messages if message is not None and not isinstance(message, Stats)]

    def _run(self) -> None:
        links = {link.socket: name for name, link in self._links.items()}
        poller = zmq.Poller()
        for sock in (self._socket, self._wakeup, *links, *([self._gate.socket] if self._gate else [])):
            poller.register(sock, zmq.POLLIN)
        looked_s = 0.0
        try:
            while not self._closing.is_set():
                ready = dict(poller.poll(POLL_MS))
                self._out.handle_subscriptions()
                for sock in links.keys() & ready.keys():
                    for frames in self._links[links[sock]].receive():
                        self.forwarding.take_own(links[sock], frames)
                if self._gate is not None and self._gate.socket in ready:
                    for frames in self._gate.receive():
                        self.forwarding.take_named(frames)
                if time.monotonic() - looked_s >= POLL_MS / 1000:
                    looked_s = time.monotonic()
                    self.forwarding.look_for_lost()
        except BaseException as error:  # raised again by `close`
            self._error = error
            self._stop.set()

    def close(self) -> None:
        """End the thread and close all sockets. Raises the thread's error."""
        self._closing.set()
        self._wakeup.wake()
        self._thread.join()
        self._opened.close()
        if self._error is not None:
            raise self._error


def decode_known(body: bytes) -> Message | None:
    """Return a message; None for one of a later version."""
    try:
        return decode(body)
    except UNREADABLE:
        return None
