"""Settings of a proxy: contradictions, and what would be exposed."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.fleet.addresses import NodePeer, Peer
from edge.fleet.settings import Settings, check_settings
from tests.edge.made_messages import ANY_PORT

A = [NodePeer("a", Peer("tcp://x:1", None, None))]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (Settings(bind=ANY_PORT), "a proxy of no nodes has nothing to do"),
        (Settings(gate="tcp://*:1", bind=ANY_PORT), "could then send messages as nodes; give --node-keys DIR"),
        (Settings(gate="tcp://127.0.0.1:65535", bind=ANY_PORT), "give --nodes an address with another one"),
        (
            Settings(nodes=A, gate_keys=Path("k"), bind=ANY_PORT),
            "--node-keys are for the nodes that connect to --nodes",
        ),
        (Settings(nodes=A, bind=""), "--bind '' begins with neither"),
        (
            Settings(nodes=A, to=Peer(ANY_PORT, None, None), bind=ANY_PORT),
            "with --to nothing is published; leave it out",
        ),
        (Settings(nodes=A, to=Peer(ANY_PORT, None, None), keys=Path("k")), "--keys k protect nothing"),
        (Settings(gate=ANY_PORT, bind="tcp://*:1"), "can be reached from other machines"),
        (Settings(gate=ANY_PORT, bind=ANY_PORT, control="tcp://*:1"), "can be reached from other machines"),
        (Settings(gate="nowhere", bind=ANY_PORT), "--nodes nowhere begins with neither"),
        (Settings(gate=ANY_PORT, to=Peer(ANY_PORT, None, None)), "leave out --nodes"),
        (Settings(nodes=A, to=Peer("tcp://y:1", None, None)), "messages would go there unencrypted"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Settings, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_settings(settings)
    assert reason in str(refused.value)
