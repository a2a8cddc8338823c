"""What systemd is told: that the program is ready, lives, and ends. A message is a datagram of `NAME=value` lines."""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Tells systemd, or nobody where there is no `address`.

    `alive` belongs in the loop whose hanging is to be noticed: where it is not called for the unit's `WatchdogSec`,
    systemd ends the program and starts it again. It has one socket from the beginning to `close`: a sign of life must
    not want for a descriptor, whoever has used them up.
    """

    def __init__(self, address: str | None = None, period_ns: int | None = None) -> None:
        self._address = address
        self._sender: socket.socket | None = None
        if address is not None:
            self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sender.setblocking(False)
        self._due_each_ns = period_ns // 2 if period_ns else None
        """systemd's own advice: twice as often as it asks for."""
        self._sent_ns: int | None = None
        self._is_heard = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "SystemdNotifier":
        """What systemd has left in the environment; it has nothing to say to a program started another way."""
        address = environment.get("NOTIFY_SOCKET")
        if not address:
            return cls()
        if address[0] not in "/@":
            log.warning("NOTIFY_SOCKET %r is neither a path nor an abstract @name; systemd is told nothing", address)
            return cls()
        return cls(address, watchdog_ns(environment))

    def ready(self, text: str) -> None:
        """All is open and the loop begins; `text` is what `systemctl status` shows."""
        line = " ".join(text.split())
        self._send(f"READY=1\nSTATUS={line}")

    def alive(self, now_ns: int) -> None:
        """The loop turns. Cheap: something is sent only where it is due."""
        if self._due_each_ns is None:
            return
        if self._sent_ns is not None and now_ns - self._sent_ns < self._due_each_ns:
            return
        if self._send("WATCHDOG=1"):
            self._sent_ns = now_ns

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Say no more."""
        if self._sender is not None:
            self._sender.close()

    def _send(self, message: str) -> bool:
        """False where it did not arrive, which is logged once until one does: recognising is worth more."""
        if self._address is None or self._sender is None:
            return False
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            self._sender.sendto(message.encode(), address)
        except OSError as error:
            if self._is_heard:
                log.warning("systemd does not hear %r at %s: %s", message, self._address, error.strerror)
            self._is_heard = False
            return False
        self._is_heard = True
        return True


def watchdog_ns(environment: Mapping[str, str]) -> int | None:
    """How long systemd waits for a sign of life; None where it does not, or waits for another process's."""
    wanted, pid = environment.get("WATCHDOG_USEC"), environment.get("WATCHDOG_PID")
    if wanted is None or pid not in (None, str(os.getpid())):
        return None
    if not wanted.isdecimal() or not int(wanted):
        log.warning("WATCHDOG_USEC %r is no number of microseconds; systemd is sent no sign of life", wanted)
        return None
    return int(wanted) * 1000
