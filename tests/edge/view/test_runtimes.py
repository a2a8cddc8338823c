"""One node is shown once, however many proxies bring it."""

from typing import Any

from edge.view.link import Link
from edge.view.markup import about_runtime
from edge.view.runtime import GONE_S
from edge.view.runtimes import Runtimes
from edge.wire.messages import Node
from tests.edge.made_messages import PREDICTION, STATS, STATUS, numbered
from tests.edge.view.made_markup import said


class Heard:
    """Two links and what is shown of them."""

    def __init__(self) -> None:
        self.links = [Link("tcp://one:1"), Link("tcp://two:2")]
        self.runtimes = Runtimes(self.links)

    def take(self, number: int, message: Any, now_s: float = 10.0) -> None:
        """Take a message by the link of that number."""
        self.links[number].heard_s = now_s
        self.runtimes.take(self.links[number], message, now_s)

    @property
    def shown(self) -> list[tuple[str, list[str]]]:
        """Addresses and streams of what is shown."""
        return [(runtime.address, sorted(runtime.streams)) for runtime in self.runtimes]


def of(name: str, message: Any, seq: int = 0, *, session: str = "s", proxy: str = "p", **fields: Any) -> Any:
    """A message of a node's stream, or its stats."""
    named = {} if message is STATS else {"stream": f"{name}/cam1"}
    return numbered(seq, message, session=session, node=Node(name, proxy, 0, 0, 1), **named, **fields)


def test_two_proxies_that_bring_the_same_node_are_one():
    heard = Heard()
    heard.take(0, of("a", STATUS))
    assert heard.shown == [("tcp://one:1", ["a/cam1"]), ("tcp://two:2", [])]
    heard.take(1, of("b", STATUS, session="t", proxy="q"))
    assert heard.shown == [("tcp://one:1", ["a/cam1"]), ("tcp://two:2", ["b/cam1"])]
    heard.take(1, of("a", PREDICTION, proxy="q"))
    assert heard.shown == [("tcp://one:1 and tcp://two:2", ["a/cam1", "b/cam1"])]
    (runtime,) = heard.runtimes
    assert runtime.streams["a/cam1"].newest is not None
    assert set(runtime.nodes) == {"a", "b"}


def test_what_the_second_address_has_first_joins_the_first():
    heard = Heard()
    for number in (1, 0):
        heard.take(number, of("a", STATUS))
    assert heard.shown == [("tcp://one:1 and tcp://two:2", ["a/cam1"])]


def test_each_message_counts_once_and_the_other_proxy_goes_on():
    heard = Heard()
    for number in (0, 1):
        heard.take(number, of("a", PREDICTION, 0, t_end=100))
    for seq, number in ((1, 0), (1, 1), (2, 1), (2, 0), (3, 1)):
        heard.take(number, of("a", PREDICTION, seq, t_end=100 + seq))
    (runtime,) = heard.runtimes
    assert [point.prediction.seq for point in runtime.streams["a/cam1"].points] == [0, 1, 2, 3]
    assert list(runtime.streams["a/cam1"].changes) == []


def test_a_proxy_that_is_gone_is_named_while_the_other_brings_everything():
    heard = Heard()
    for number in (0, 1):
        heard.take(number, of("a", STATUS))
    heard.take(1, of("a", STATUS, 1), 10.0 + GONE_S)
    (runtime,) = heard.runtimes
    assert runtime.presence(10.0 + GONE_S) == "live"
    text = said(about_runtime(runtime, 10.0 + GONE_S))
    assert "● live 1 nodes No message from tcp://one:1 for 3 s." in text
    assert not runtime.is_absent("a/cam1", 10.0 + GONE_S)


def test_runtimes_without_a_proxy_and_fleets_of_other_nodes_stay_apart():
    heard = Heard()
    for number in (0, 1):
        heard.take(number, numbered(0, STATUS, session="s"))
    heard.take(0, of("a", STATS, session="s"))
    heard.take(1, of("a", STATS, session="t"))
    assert [address for address, _ in heard.shown] == ["tcp://one:1", "tcp://two:2"]
