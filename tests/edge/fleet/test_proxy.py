"""The proxy over real sockets: nodes, subscribers, keys, a second proxy, and what goes wrong with one of ten nodes."""

import asyncio
import threading
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.clock import SystemClock
from edge.errors import FoalError, PublishError
from edge.fleet.addresses import NodePeer, Peer
from edge.fleet.proxy import Proxy
from edge.fleet.settings import Settings
from edge.view.link import Link
from edge.view.runtime import Runtime
from edge.view.runtimes import Runtimes
from edge.wire.clock_offset import ClockOffset, estimate_offset
from edge.wire.control_client import ControlClient
from edge.wire.control_messages import AskLast, AskStatus, LastReply, StatusReply
from edge.wire.keys import load_client_keys, load_server_keys, make_client_keys, make_server_keys
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import ANY_PORT, EVENT, PREDICTION, STATS, STATUS, WAIT_S, numbered

from .made_fleet import MadeNode, await_that, fleet, hear, running

S = 10**9
ROUNDS = 40
"""Messages of each node in the test of ten nodes."""


class Ahead(SystemClock):
    """The clocks of a machine that are off."""

    def __init__(self, mono_ns: int, unix_ns: int) -> None:
        self.mono_ns, self.unix_ahead_ns = mono_ns, unix_ns

    def now_ns(self) -> int:
        return super().now_ns() + self.mono_ns

    def unix_ns(self, monotonic_ns: int) -> int:
        return super().unix_ns(monotonic_ns - self.mono_ns) + self.unix_ahead_ns


def names(messages: list[Any]) -> list[str]:
    return sorted(f"{type(message).__name__} {message.node.name} {message.seq}" for message in messages)


def test_a_subscriber_gets_the_last_of_each_topic_of_each_node_and_what_follows() -> None:
    with fleet("a", "b") as ((a, b), proxy):
        a.publish(numbered(0, PREDICTION), numbered(1, PREDICTION), EVENT)
        b.publish(numbered(7, PREDICTION), STATS)
        await_that(lambda: [state.received for state in proxy.states()] >= [2, 2], "the proxy hears both")
        with Subscriber(proxy.address) as everything, Subscriber(proxy.address, "emotion.b/cam1.") as one:
            first = hear(everything, 4)
            assert names(first) == ["Prediction a 1", "Prediction b 7", "Stats b 3", "SteadyState a 2"]
            assert {message.stream for message in first if message.node.name == "a"} == {"a/cam1"}
            assert names(hear(one, 1)) == ["Prediction b 7"]
            a.publish(numbered(2, PREDICTION))
            b.publish(numbered(8, PREDICTION))
            assert names(hear(everything, 2)) == ["Prediction a 2", "Prediction b 8"]
            assert names(hear(one, 1)) == ["Prediction b 8"]
            assert not everything.missed


def test_a_node_that_comes_later_and_comes_back_is_heard() -> None:
    with fleet("a") as ((a,), proxy), Subscriber(proxy.address) as subscriber:
        a.publish(numbered(0))
        assert names(hear(subscriber, 1)) == ["Status a 0"]
        a.restart()
        a.publish(numbered(0, session="cd"))
        assert names(hear(subscriber, 1)) == ["Status a 0"]


@pytest.mark.parametrize("wrong_s", [0, 3])
def test_times_of_a_node_are_turned_into_a_subscribers_own(wrong_s: int) -> None:
    node = MadeNode("a", Ahead(1000 * S, wrong_s * S))
    settings = Settings(nodes=[node.peer()], bind=ANY_PORT, control=ANY_PORT)
    with running(settings) as proxy, Subscriber(proxy.address, "status.") as subscriber:
        seq = 0
        while True:  # the clock is measured once the first message has come
            node.publish(numbered(seq))
            (message,) = hear(subscriber, 1)
            seq += 1
            if message.node.mono_offset_ns is not None:
                break
        offset = estimate_offset(proxy.control_address or "").through(message.node)
        # Both are this machine; its clocks are read one after the other
        assert abs(offset.mono_ns - 1000 * S) <= offset.uncertainty_ns + 1_000_000
        assert abs(offset.unix_ns - wrong_s * S) <= offset.uncertainty_ns + 1_000_000
        with ControlClient(proxy.control_address or "") as control:
            reply = control.ask(AskStatus(), StatusReply)
            last = control.ask(AskLast("a/cam1"), LastReply)
        assert [status.stream for status in reply.streams] == ["a/cam1"]
        assert last == LastReply([], [])
        assert (reply.nodes[0].state, reply.nodes[0].problem is None) == ("online", wrong_s == 0)
        assert reply.stats is None
    node.close()


def test_nodes_and_subscribers_each_have_keys_of_their_own(tmp_path: Path) -> None:
    for name in ("node", "proxy"):
        make_server_keys(tmp_path / name)
    at_node = load_client_keys(make_client_keys(tmp_path / "node", "proxy"))
    at_proxy = load_client_keys(make_client_keys(tmp_path / "proxy", "desk"))
    node = MadeNode("a", keys=load_server_keys(tmp_path / "node"))
    settings = Settings(nodes=[node.peer(at_node)], bind=ANY_PORT, keys=tmp_path / "proxy")
    with running(settings) as proxy:
        node.publish(STATUS)
        await_that(lambda: proxy.states()[0].mono_offset_ns is not None, "the clocks are measured with keys, too")
        with (
            Subscriber(proxy.address, keys=at_proxy) as friend,
            Subscriber(proxy.address, keys=at_node) as foe,
            Subscriber(proxy.address) as stranger,
        ):
            assert names(hear(friend, 1)) == ["Status a 9"]
            assert foe.receive(0.2) is stranger.receive(0.01) is None
    node.close()


def test_a_node_behind_a_firewall_sends_its_messages_itself(tmp_path: Path) -> None:
    make_server_keys(tmp_path)
    keys = load_client_keys(make_client_keys(tmp_path, "lobby"))
    node = MadeNode("lobby", Ahead(1000 * S, 3 * S))
    there = Settings(gate=ANY_PORT, gate_keys=tmp_path, bind=ANY_PORT)
    with running(there) as proxy:
        to = Peer(proxy.gate_address or "", proxy.gate_control or "", keys)
        with running(Settings(nodes=[node.peer()], to=to)), Subscriber(proxy.address) as subscriber:
            seq = 0
            while True:  # both clocks are measured a little later
                node.publish(numbered(seq))
                (message,) = hear(subscriber, 1)
                seq += 1
                if message.node.mono_offset_ns is not None:
                    break
            assert (message.stream, message.node.proxy) == ("lobby/cam1", proxy.session)
            assert abs(message.node.mono_offset_ns - 1000 * S) <= message.node.uncertainty_ns + 1_000_000
            await_that(lambda: proxy.states()[0].problem is not None, "the wrong clock is said")
            assert not subscriber.missed
    node.close()


def test_a_node_whose_proxy_does_not_answer_says_so_once_and_when_it_does(monkeypatch, caplog) -> None:
    caplog.set_level("INFO")
    asked: list[Peer] = []

    def offset_of(peer: Peer) -> ClockOffset:
        asked.append(peer)
        if len(asked) < 3:
            raise FoalError("no answer within 2 s; are these the keys that it expects?")
        return ClockOffset(1, 2, 3)

    monkeypatch.setattr("edge.fleet.clock_watch.offset_of", offset_of)
    monkeypatch.setattr("edge.fleet.clock_watch.RETRY_S", 0.01)
    to = Peer("tcp://127.0.0.1:9", "tcp://127.0.0.1:10", None)
    relay = Proxy(Settings(nodes=[NodePeer("a", Peer("tcp://127.0.0.1:11", None, None))], to=to), threading.Event())
    with closing(relay):
        await_that(lambda: relay.forwarding.home == ClockOffset(1, 2, 3), "the clocks of its proxy are known")
        await_that(lambda: "answers now" in caplog.text, "it says that the proxy answers")
    assert caplog.text.count("the proxy that tcp://127.0.0.1:9 belongs to does not answer: its clocks are not") == 1
    assert "are these the keys that it expects?). Where it cannot be reached, the last 256 messages" in caplog.text


def test_a_stranger_sends_nothing_to_a_gate_with_keys(tmp_path: Path) -> None:
    make_server_keys(tmp_path)
    node = MadeNode("lobby")
    with running(Settings(gate=ANY_PORT, gate_keys=tmp_path, bind=ANY_PORT)) as proxy:
        to = Peer(proxy.gate_address or "", None, None)
        with running(Settings(nodes=[node.peer()], to=to)) as relay:
            node.publish(STATUS)
            await_that(lambda: relay.states()[0].received == 1, "the relay hears the node")
            threading.Event().wait(0.2)
            assert proxy.states() == []
    node.close()


def test_a_message_that_comes_through_two_proxies_is_received_once() -> None:
    with fleet("a") as ((a,), one):
        other = Proxy(Settings(nodes=[a.peer()], bind=ANY_PORT, control=ANY_PORT), threading.Event())
        with Subscriber([one.address, other.address], "status.") as subscriber:
            a.publish(numbered(0))
            assert names(hear(subscriber, 1)) == ["Status a 0"]
            await_that(lambda: other.states()[0].received == one.states()[0].received == 1, "both have joined")
            for seq in range(1, 20):
                a.publish(numbered(seq))
            assert [message.seq for message in hear(subscriber, 19)] == list(range(1, 20))
            await_that(lambda: one.states()[0].received == other.states()[0].received == 20, "both hear all")
            assert subscriber.receive(0.05) is None
            other.close()
            a.publish(numbered(20))
            assert [message.seq for message in hear(subscriber, 1)] == [20]
            assert not subscriber.missed


def test_a_proxy_of_a_proxy_forwards_nothing_and_says_so(caplog) -> None:
    with fleet("a") as ((a,), inner):
        around = Settings(nodes=[NodePeer("inner", Peer(inner.address, None, None))], bind=ANY_PORT)
        with running(around) as outer:
            a.publish(numbered(0))
            await_that(lambda: outer.states()[0].refused == {"has_node": 1}, "the outer one counts it")
            assert outer.last() == []
    assert "messages of inner are not forwarded: they come through a proxy already" in caplog.text


def test_a_proxy_that_is_fed_by_itself_sends_nothing_round_and_round(unused_port: int) -> None:
    address, node = f"tcp://127.0.0.1:{unused_port}", MadeNode("a")
    itself = NodePeer("me", Peer(address, None, None))
    with (
        running(Settings(nodes=[node.peer(), itself], bind=address, control="off")) as proxy,
        Subscriber(address) as ours,
    ):
        node.publish(numbered(0))
        assert [message.seq for message in hear(ours, 1)] == [0]
        await_that(lambda: proxy.states()[1].refused.get("has_node", 0) >= 1, "it is its own subscriber")
        for seq in range(1, 4):
            node.publish(numbered(seq))
        assert [message.seq for message in hear(ours, 3)] == [1, 2, 3]
        await_that(lambda: proxy.states()[1].refused.get("has_node", 0) >= 4, "it refuses what is its own")
        assert ours.receive(0.05) is None
    node.close()


def test_the_page_shows_the_nodes_behind_a_proxy() -> None:
    with fleet("a", "b") as (nodes, proxy):
        for node in nodes:
            session = {"session": node.name}
            node.publish(numbered(0, PREDICTION, **session), numbered(0, STATS, uptime_s=60.0, **session))

        async def receive() -> Runtime:
            runtimes = Runtimes([Link(proxy.address)])
            (runtime,) = runtimes
            following = asyncio.ensure_future(runtimes.follow())
            while sum(node.stats is not None for node in runtime.nodes.values()) < 2 or len(runtime.streams) < 2:
                await asyncio.sleep(0.01)
            following.cancel()
            return runtime

        runtime = asyncio.run(asyncio.wait_for(receive(), WAIT_S))
    assert set(runtime.streams) == {"a/cam1", "b/cam1"}
    assert set(runtime.nodes) == {"a", "b"}


def test_of_ten_nodes_the_healthy_lose_nothing_whatever_befalls_the_others() -> None:
    healthy = [f"n{number}" for number in range(6)]
    with fleet(*healthy, "cut", "mad", "loud", "wrong") as (nodes, proxy), Subscriber(proxy.address) as subscriber:
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            node.publish(numbered(0, session=node.name))
        assert names(hear(subscriber, 10)) == sorted(f"Status {name} 0" for name in by_name), "all have joined"
        for seq in range(1, ROUNDS):
            for name in (*healthy, "wrong"):
                by_name[name].publish(numbered(seq, session=name))
            for burst in range(50):
                by_name["loud"].publish(numbered(50 * seq + burst, session="loud", dropped={"x" * 1000: 0}))
            by_name["mad"].publish(numbered(seq, stream="no/name", session="mad"))
            if seq == ROUNDS // 2:
                by_name["cut"].restart()
                by_name["cut"].publish(numbered(0, session="cut anew"))
        heard: dict[str, list[int]] = defaultdict(list)
        while not all(heard[name][-1:] == [ROUNDS - 1] for name in healthy):
            (message,) = hear(subscriber, 1)
            heard[message.node.name].append(message.seq)
        states = {state.name: state for state in proxy.states()}
    assert {name: heard[name] for name in healthy} == {name: list(range(1, ROUNDS)) for name in healthy}
    assert [states[name].missed for name in healthy] == [0] * len(healthy)
    assert states["mad"].refused == {"has_node": ROUNDS - 1}


def test_an_address_in_use_is_named_and_nothing_stays_open() -> None:
    with fleet("a") as ((a,), proxy):
        before = threading.active_count()
        with pytest.raises(PublishError, match=f"cannot publish at {proxy.address}: Address already in use"):
            Proxy(Settings(nodes=[a.peer()], bind=proxy.address), threading.Event())
        with pytest.raises(PublishError, match=r"cannot let nodes connect.* end it, or give .*:6556$"):
            Proxy(Settings(gate=proxy.address, bind=ANY_PORT), threading.Event())
        before_control, _, control = str(proxy.control_address).rpartition(":")
        with pytest.raises(PublishError, match=r"cannot answer at .* like --nodes tcp"):
            Proxy(Settings(gate=f"{before_control}:{int(control) - 1}", bind=ANY_PORT), threading.Event())
        assert threading.active_count() == before
