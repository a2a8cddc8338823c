"""Settings of a proxy, and which of them contradict each other or expose what nobody agreed to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..wire.addresses import AUTO, OFF, check_address, check_exposure, control_address, is_local
from .addresses import NodePeer, Peer


@dataclass(frozen=True)
class Settings:
    """Settings of a proxy."""

    nodes: Sequence[NodePeer] = ()
    """Nodes to connect to."""
    gate: str | None = None
    """Address that nodes connect to; None for none."""
    bind: str | None = None
    """Address to publish at; None with `to`."""
    to: Peer | None = None
    """Proxy to send to, in place of publishing; None for none."""
    topics: Sequence[str] = ()
    """Beginnings of the topics that are taken from nodes; all if there are none."""
    control: str = AUTO
    """Address of the control port, `off`, or `auto` for the port after `bind`'s."""
    keys: Path | None = None
    """Folder of the keys for subscribers; None for none."""
    gate_keys: Path | None = None
    """Folder of the keys for nodes that connect; None for none."""
    insecure: bool = False
    """True if public addresses may do without keys."""


def check_settings(settings: Settings) -> None:
    """Raise UsageError where the settings of a proxy contradict each other, or reach other machines unprotected."""
    if not settings.nodes and settings.gate is None:
        raise UsageError("a proxy of no nodes has nothing to do; give --from ADDRESS of each node, or --nodes ADDRESS")
    if settings.to is not None and settings.gate is not None:
        raise UsageError("--to sends the messages of --from to another proxy, where nodes connect; leave out --nodes")
    if settings.gate_keys is not None and settings.gate is None:
        raise UsageError("--node-keys are for the nodes that connect to --nodes; give --nodes ADDRESS, or leave it out")
    if settings.to is not None:
        check_relay(settings, settings.to)
    for address, option in ((settings.bind, "--bind"), (settings.gate, "--nodes")):
        if address is not None:
            check_address(address, option, binds=True)
    control = control_address(settings.bind, settings.control)
    for address in (settings.bind, control):
        if address is not None:
            check_exposure(address, is_allowed=settings.keys is not None or settings.insecure)
    if settings.gate is not None:
        gate_control_address(settings.gate)
        check_exposure(
            settings.gate,
            is_allowed=settings.gate_keys is not None or settings.insecure,
            keys_option="--node-keys",
            risk="send messages as nodes",
        )


def check_relay(settings: Settings, to: Peer) -> None:
    """Raise UsageError where a proxy that sends to another one is to publish, too, or would send unprotected."""
    if settings.bind is not None:
        raise UsageError(f"--bind {settings.bind} is for subscribers, and with --to nothing is published; leave it out")
    if settings.keys is not None and settings.control in (AUTO, OFF):
        raise UsageError(f"--keys {settings.keys} protect nothing: with --to nothing is published; leave them out")
    if to.keys is None and not settings.insecure and not is_local(to.address):
        raise UsageError(
            f"--to {to.address} is another machine, and messages would go there unencrypted; give the keys that its "
            f"proxy has made for this node, --to {to.address},keys=DIR, or --insecure if the network is trusted"
        )


def gate_control_address(gate: str) -> str | None:
    """Return the address at which nodes that connect ask for the clocks; UsageError if there is none."""
    return control_address(gate, AUTO, "give --nodes an address with another one")
