"""Status of a fleet in one line."""

from collections.abc import Sequence

from ..wire.control_messages import NodeState

MOST_NAMES = 5
"""Number of nodes that a line names of each kind; further ones are counted."""


class StatusLine:
    """Line about the nodes of a fleet, with the rate of messages since the line before."""

    def __init__(self, now_s: float) -> None:
        self._at_s, self._received = now_s, 0

    def __call__(self, states: Sequence[NodeState], now_s: float) -> str:
        """Return the line about the states at a monotonic time, in seconds."""
        received = sum(node.received for node in states)
        rate = (received - self._received) / max(now_s - self._at_s, 1e-3)
        self._at_s, self._received = now_s, received
        online = sum(node.state == "online" for node in states)
        parts = [f"{online} of {len(states)} nodes online, {rate:.0f} messages/s"]
        for title, found in (
            ("waiting for", {node.name: "" for node in states if node.state == "waiting"}),
            ("lost", {node.name: f" for {node.silence_s:.0f} s" for node in states if node.state == "lost"}),
            ("missed", {node.name: f" {node.missed}" for node in states if node.missed}),
            ("refused", {node.name: f" {sum(node.refused.values())}" for node in states if node.refused}),
            ("problem", {node.name: f": {node.problem}" for node in states if node.problem}),
        ):
            if found:
                parts.append(f"{title} {listed([name + detail for name, detail in found.items()])}")
        return "; ".join(parts)


def listed(names: Sequence[str]) -> str:
    """Return the first names, and how many follow."""
    rest = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
