"""Networks on one machine: a network namespace for each node, and one for the proxies, joined by pairs of veth."""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edge.errors import UsageError

HUB = "foal-hub"
"""Namespace of the proxies and subscribers."""
DEVICE = "line"
"""Name of the network device of each node."""
CLONE_NEWNET = 0x40000000
SLOW = ("rate", "48kbit", "burst", "1540", "latency", "400ms")
"""Parameters of the token bucket (tbf) that makes a slow line."""


class Lines:
    """Lines from the hub to the nodes, each with its own two addresses. Needs root, `ip` and `tc`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}

    def address(self, name: str) -> str:
        """Return the address of a node in its own network."""
        return f"10.77.{self._numbers[name]}.2"

    @staticmethod
    def namespace(name: str) -> str:
        """Return the network namespace of a node."""
        return f"foal-{name}"

    def lay(self, opened: ExitStack) -> None:
        """Make the namespaces and the lines; they are removed with `opened`."""
        for name in (HUB, *map(self.namespace, self._numbers)):
            ip("netns", "add", name)
            opened.callback(ip, "netns", "del", name)
            ip("-n", name, "link", "set", "lo", "up")
        for name, number in self._numbers.items():
            inner, outer = self.namespace(name), f"to-{name}"
            ip("-n", HUB, "link", "add", outer, "type", "veth", "peer", "name", DEVICE, "netns", inner)
            ip("-n", HUB, "addr", "add", f"10.77.{number}.1/24", "dev", outer)
            ip("-n", inner, "addr", "add", f"10.77.{number}.2/24", "dev", DEVICE)
            ip("-n", HUB, "link", "set", outer, "up")
            ip("-n", inner, "link", "set", DEVICE, "up")

    def cut(self, name: str, *, is_up: bool) -> None:
        """Cut a node off without a word to either side, or join it again."""
        ip("-n", HUB, "link", "set", f"to-{name}", "up" if is_up else "down")

    def slow_down(self, name: str) -> None:
        """Let no more than 48 kbit a second out of a node."""
        call("tc", "-n", self.namespace(name), "qdisc", "add", "dev", DEVICE, "root", "tbf", *SLOW)

    def speed_up(self, name: str) -> None:
        """Take the limit off."""
        call("tc", "-n", self.namespace(name), "qdisc", "del", "dev", DEVICE, "root")

    def inside(self, name: str) -> list[str]:
        """Return what a command begins with to run in a node's network."""
        return ["ip", "netns", "exec", self.namespace(name)]


@contextmanager
def in_hub() -> Iterator[None]:
    """Let this thread, and what it starts, be in the hub's network."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    hub = os.open(f"/run/netns/{HUB}", os.O_RDONLY)
    try:
        if libc.setns(hub, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot enter the hub's network")
        yield
        libc.setns(before, CLONE_NEWNET)
    finally:
        os.close(hub)
        os.close(before)


def ip(*arguments: str) -> None:
    """Run `ip`."""
    call("ip", *arguments)


def call(*command: str) -> None:
    """Run a command. Raises UsageError with what it says, if it fails."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UsageError(f"{command[0]} is not installed; apt-get install iproute2") from error
    if ended.returncode != 0:
        raise UsageError(f"{' '.join(command)}: {ended.stderr.strip()}; run this as root on Linux")


def can_move_clocks() -> bool:
    """Return whether a process here may have a CLOCK_MONOTONIC of its own (a time namespace)."""
    return Path("/proc/self/timens_offsets").exists()
