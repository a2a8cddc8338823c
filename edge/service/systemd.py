"""Notifications to systemd that the program is ready, alive and stopping: datagrams of `NAME=value` lines.

The protocol is that of sd_notify(3).
"""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Sender of notifications to systemd, or to nobody without an `address`.

    Call `alive` in the loop whose hanging is to be detected: if it is not called for the unit's `WatchdogSec`
    (`watchdog_period_ns`), systemd kills the program and restarts it. One socket is kept from the start to `close`, so
    that a keep-alive needs no new descriptor even if the process has run out of them.
    """

    def __init__(self, address: str | None = None, watchdog_period_ns: int | None = None) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        if address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        self._keep_alive_period_ns = watchdog_period_ns // 2 if watchdog_period_ns else None
        """Time between two keep-alives: half of the watchdog's period, as systemd advises."""
        self._sent_ns: int | None = None
        self._is_reachable = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "SystemdNotifier":
        """Build a notifier from systemd's environment variables; without them, it notifies nobody."""
        address = environment.get("NOTIFY_SOCKET")
        if not address:
            return cls()
        if address[0] not in "/@":
            log.warning("NOTIFY_SOCKET %r is neither a path nor an abstract @name; systemd is not notified", address)
            return cls()
        return cls(address, watchdog_period_ns(environment))

    def ready(self, text: str) -> None:
        """Notify that the start is complete; `text` is shown by `systemctl status`."""
        line = " ".join(text.split())
        self._send(f"READY=1\nSTATUS={line}")

    def alive(self, now_ns: int) -> None:
        """Send a keep-alive to the watchdog if one is due; cheap enough for every turn of a loop."""
        if self._keep_alive_period_ns is None:
            return
        if self._sent_ns is not None and now_ns - self._sent_ns < self._keep_alive_period_ns:
            return
        if self._send("WATCHDOG=1"):
            self._sent_ns = now_ns

    def stopping(self) -> None:
        """Notify that the program has begun to stop."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()

    def _send(self, message: str) -> bool:
        """Send a notification. Returns False if that fails, which is logged once until one succeeds, never raised."""
        if self._address is None or self._socket is None:
            return False
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            self._socket.sendto(message.encode(), address)
        except OSError as error:
            if self._is_reachable:
                log.warning("cannot send %r to systemd at %s: %s", message, self._address, error.strerror)
            self._is_reachable = False
            return False
        self._is_reachable = True
        return True


def watchdog_period_ns(environment: Mapping[str, str]) -> int | None:
    """Return the watchdog's period in nanoseconds; None if there is no watchdog, or one for another process."""
    wanted, pid = environment.get("WATCHDOG_USEC"), environment.get("WATCHDOG_PID")
    if wanted is None or pid not in (None, str(os.getpid())):
        return None
    if not wanted.isdecimal() or not int(wanted):
        log.warning("WATCHDOG_USEC %r is not a number of microseconds; the watchdog is not notified", wanted)
        return None
    return int(wanted) * 1000
