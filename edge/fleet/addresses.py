"""Addresses of nodes, as they are typed: `NAME=ADDRESS,control=ADDRESS,keys=DIR`, all but one ADDRESS left out."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..wire.addresses import AUTO, check_address, control_address, is_ip
from ..wire.keys import ClientKeys, load_client_keys

MAX_NAME = 20
"""Largest length of a node's name, so that every topic stays below the longest that can be subscribed to."""
NAME_FORM = f"at most {MAX_NAME} letters, digits, - and _, with a letter or a digit among them"
NAME = re.compile(rf"(?=.{{1,{MAX_NAME}}}\Z)[-_]*[A-Za-z0-9][-_A-Za-z0-9]*\Z")
NAMED = re.compile(r"([^=:]*)=(?=\w+://)(.*)\Z", re.DOTALL)
"""Pattern of an address with a name before it."""
FURTHER = re.compile(r",(control|keys)=")


@dataclass(frozen=True)
class Peer:
    """Address to connect to, with the control port beside it."""

    address: str
    control: str | None
    """Address of the control port; None for none."""
    keys: ClientKeys | None


@dataclass(frozen=True)
class NodePeer:
    """Node to connect to."""

    name: str
    peer: Peer


def parse_nodes(texts: Sequence[str], option: str) -> list[NodePeer]:
    """Return the nodes in the texts of an option. UsageError if one makes no sense, or if two have one name."""
    nodes = [parse_node(text, option) for text in texts]
    for name, count in Counter(node.name for node in nodes).items():
        if count > 1:
            addresses = " and ".join(node.peer.address for node in nodes if node.name == name)
            raise UsageError(
                f"{count} nodes are called {name!r}: {addresses}; give each a name of its own, {option} NAME=ADDRESS"
            )
    return nodes


def parse_node(text: str, option: str) -> NodePeer:
    """Return the node in `NAME=ADDRESS`, or `ADDRESS` alone, whose host is its name then."""
    named = NAMED.match(text)
    peer = parse_peer(named[2] if named else text, option)
    name = named[1] if named else host_name(peer.address)
    if name is None:
        raise UsageError(f"{option} {text}: the node has no name; give one, like {option} lobby={peer.address}")
    if not NAME.match(name):
        raise UsageError(f"{option} {text}: {name!r} is no name of a node; use {NAME_FORM}")
    return NodePeer(name, peer)


def parse_peer(text: str, option: str) -> Peer:
    """Return the peer in `ADDRESS,control=ADDRESS,keys=DIR`; UsageError if it makes no sense."""
    address, *pairs = FURTHER.split(text)
    further = dict(zip(pairs[::2], pairs[1::2], strict=True))
    if len(pairs) > 2 * len(further):
        raise UsageError(f"{option} {text}: control and keys are one each; give each once")
    check_address(address, option, binds=False)
    control = control_address(
        address,
        further.get("control", AUTO),
        f"give {option} {address},control=ADDRESS, or {option} {address},control=off",
    )
    if control is not None:
        check_address(control, f"{option} ...,control=", binds=False)
    keys = load_client_keys(Path(further["keys"])) if "keys" in further else None
    return Peer(address, control, keys)


def host_name(address: str) -> str | None:
    """Return the first part of a host's name; None for a number, this machine, or a path."""
    transport, _, rest = address.partition("://")
    host = rest.rpartition(":")[0]
    is_number = host.startswith("[") or is_ip(host, 4)
    return None if transport != "tcp" or is_number or host == "localhost" else host.partition(".")[0]
