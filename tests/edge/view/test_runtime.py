"""What is known of one runtime: whether it is there, and which streams it has."""

from typing import Any

from edge.view.link import Link
from edge.view.runtime import GONE_S, MOST_STREAMS, SETTLED_S, Runtime
from edge.wire.messages import Node
from tests.edge.made_messages import PREDICTION, STATS, STATUS, numbered


def heard(*messages, now_s: float = 10.0) -> Runtime:
    runtime = Runtime(Link("tcp://127.0.0.1:9"))
    for message in messages:
        runtime.add(message, now_s)
    return runtime


def test_presence_follows_the_messages():
    assert heard().presence(100.0) == "waiting"
    runtime = heard(STATUS)
    assert runtime.presence(10.0 + GONE_S / 2) == "live"
    assert runtime.presence(10.0 + GONE_S) == "gone"
    assert runtime.silence_s(15.0) == 5.0
    runtime.add(numbered(10), 15.0)
    assert runtime.presence(15.0) == "live"


def test_a_run_has_ended_once_all_its_streams_have_stopped():
    runtime = heard(STATUS, numbered(0, stream="cam2", state="stopped"))
    assert runtime.presence(10.0) == "live"
    runtime.add(numbered(10, state="stopped"), 10.0)
    assert runtime.presence(10.0) == runtime.presence(1000.0) == "ended"
    runtime.add(numbered(0, session="cd"), 1000.0)
    assert runtime.presence(1000.0) == "live"


def test_streams_that_a_new_session_lacks_are_forgotten_once_it_has_settled():
    runtime = heard(STATUS, numbered(0, stream="cam2"))
    runtime.add(numbered(0, STATS, session="cd", uptime_s=1.0), 11.0)
    assert set(runtime.streams) == {"cam1", "cam2"}
    runtime.add(numbered(0, stream="cam2", session="cd"), 12.0)
    runtime.add(numbered(20, STATS, session="cd", uptime_s=SETTLED_S + 1), 13.0)
    assert set(runtime.streams) == {"cam2"}
    assert runtime.stats.seq == 20


def of_node(name: str, message: Any = STATUS, seq: int = 0, **fields: Any) -> Any:
    named = {} if message is STATS else {"stream": f"{name}/cam1"}
    return numbered(seq, message, session=name, node=Node(name, "p", 0, 0, 1), **named, **fields)


def test_the_sessions_of_the_nodes_behind_a_proxy_are_told_apart():
    settled = {"uptime_s": SETTLED_S + 1}
    runtime = heard(*(of_node(name, kind, seq) for seq in range(3) for name in "ab" for kind in (STATUS, PREDICTION)))
    for name in "ab":
        runtime.add(of_node(name, STATS, **settled), 11.0)
    assert set(runtime.streams) == {"a/cam1", "b/cam1"}
    changes = [change.text for stream in runtime.streams.values() for change in stream.changes]
    assert "started anew" not in changes
    runtime.add(numbered(0, STATS, session="a2", node=Node("a", "p", 0, 0, 1), **settled), 12.0)
    assert set(runtime.streams) == {"b/cam1"}, "the node's new session has no such stream"
    assert runtime.stats is None


def test_a_node_that_is_gone_is_absent_and_the_others_are_not():
    runtime = heard(of_node("a"), of_node("b"))
    runtime.add(of_node("b", seq=1), 10.0 + GONE_S)
    now_s = 10.0 + GONE_S
    assert runtime.presence(now_s) == "live"
    assert runtime.silent_nodes(now_s) == {"a": GONE_S}
    assert [runtime.is_absent(stream, now_s) for stream in ("a/cam1", "b/cam1")] == [True, False]
    assert runtime.is_absent("b/cam1", now_s + GONE_S)


def test_endless_names_are_bounded():
    runtime = heard(*(numbered(0, stream=f"s{number}") for number in range(2 * MOST_STREAMS)))
    assert len(runtime.streams) == MOST_STREAMS
