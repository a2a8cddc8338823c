"""Addresses of nodes as they are typed."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.fleet.addresses import MAX_NAME, NodePeer, Peer, parse_node, parse_nodes, parse_peer
from edge.wire.keys import load_client_keys, make_client_keys, make_server_keys


@pytest.mark.parametrize(
    ("text", "name", "address", "control"),
    [
        ("tcp://robot:5556", "robot", "tcp://robot:5556", "tcp://robot:5557"),
        ("tcp://robot.example.org:5556", "robot", "tcp://robot.example.org:5556", "tcp://robot.example.org:5557"),
        ("lobby=tcp://10.0.0.5:5556", "lobby", "tcp://10.0.0.5:5556", "tcp://10.0.0.5:5557"),
        ("lobby=tcp://[fe80::1]:5556", "lobby", "tcp://[fe80::1]:5556", "tcp://[fe80::1]:5557"),
        ("a=ipc:///tmp/a=b,c", "a", "ipc:///tmp/a=b,c", "ipc:///tmp/a=b,c.control"),
        ("a=tcp://x:1,control=tcp://y:9", "a", "tcp://x:1", "tcp://y:9"),
        ("a=tcp://x:1,control=off", "a", "tcp://x:1", None),
    ],
)
def test_a_node_has_a_name_an_address_and_a_control_port(text: str, name: str, address: str, control: str) -> None:
    assert parse_node(text, "--from") == NodePeer(name, Peer(address, control, None))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tcp://10.0.0.5:5556", "the node has no name; give one, like --from lobby=tcp://10.0.0.5:5556"),
        ("tcp://localhost:5556", "the node has no name"),
        ("ipc:///tmp/a", "the node has no name"),
        ("lobby", "begins with neither tcp:// nor ipc://"),
        ("=tcp://x:1", "'' is no name of a node"),
        (f"{'n' * (MAX_NAME + 1)}=tcp://x:1", "at most 20 letters, digits, - and _"),
        ("a/b=tcp://x:1", "'a/b' is no name of a node"),
        ("ü=tcp://x:1", "'ü' is no name of a node"),
        ("--=tcp://x:1", "'--' is no name of a node"),
        ("a=tcp://x", "has no port"),
        ("a=tcp://x:1,keys=nowhere", "no keys at nowhere"),
        ("a=tcp://x:1,control=here", "--from ...,control= here begins with neither"),
        ("a=tcp://x:65535", "for the control port; give --from tcp://x:65535,control=ADDRESS, or"),
        ("a=tcp://x:1,keys=here,keys=there", "control and keys are one each; give each once"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_remedy(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_node(text, "--from")
    assert reason in str(refused.value)


def test_two_nodes_of_one_name_are_an_error_that_names_both() -> None:
    with pytest.raises(UsageError) as refused:
        parse_nodes(["a=tcp://x:1", "b=tcp://y:1", "a=tcp://z:1"], "--from")
    assert str(refused.value).startswith("2 nodes are called 'a': tcp://x:1 and tcp://z:1; give each a name of its own")


def test_keys_are_those_of_the_client(tmp_path: Path) -> None:
    make_server_keys(tmp_path)
    folder = make_client_keys(tmp_path, "proxy")
    peer = parse_peer(f"tcp://x:1,keys={folder},control=off", "--to")
    assert peer == Peer("tcp://x:1", None, load_client_keys(folder))
