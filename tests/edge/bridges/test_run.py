"""The loop of a bridge: what it says of a publisher that comes and goes, and of what is lost."""

import logging
import threading

import pytest

from edge.bridges.base import Bridge, check_remote, needs_extra, safe_name
from edge.bridges.run import LossReport, NodesWatch, PublisherWatch, bridge_messages
from edge.errors import FoalError, UsageError
from edge.wire.messages import Message, Node
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import PREDICTION, STATUS, numbered


class Kept(Bridge):
    """Keeps what it gets, and what it is told of the publisher."""

    def __init__(self, stop: threading.Event | None = None, last: Message | None = None) -> None:
        super().__init__()
        self.messages: list[Message] = []
        self.told: list[str] = []
        self.is_closed = False
        self._stop, self._last = stop, last

    def send(self, message: Message) -> None:
        self.messages.append(message)
        if self._stop and message == self._last:
            self._stop.set()

    def publisher_lost(self) -> None:
        self.told.append("lost")

    def node_lost(self, name: str) -> None:
        self.told.append(f"{name} lost")

    def publisher_back(self) -> None:
        self.told.append("back")

    def close(self) -> None:
        self.is_closed = True


def test_every_message_comes_and_what_was_missed_is_said(publisher, caplog) -> None:
    caplog.set_level(logging.INFO)
    stop = threading.Event()
    bridge = Kept(stop, numbered(15))
    publisher.publish(numbered(9))
    publisher.publish(PREDICTION)
    with Subscriber(publisher.address) as subscriber:
        first = subscriber.receive(60)
        publisher.publish(numbered(15))
        bridge_messages(subscriber, bridge, publisher.address, stop)
    assert [first, *bridge.messages] == [numbered(9), PREDICTION, numbered(15)]
    assert (bridge.told, bridge.is_closed) == (["back"], True)
    assert "2 messages received; lost: missed 5" in caplog.text


def test_a_node_that_is_silent_while_others_are_heard_is_said_once(caplog) -> None:
    bridge = Kept()
    watch = NodesWatch(bridge, 0)
    of_a, of_b = (numbered(0, node=Node(name, "p", None, None, None)) for name in "ab")
    for message, second in ((of_a, 0), (of_b, 1), (of_b, 4), (of_b, 5), (of_b, 9), (numbered(0), 10)):
        watch.message_came(message, second)
    assert bridge.told == ["a lost"]
    watch.message_came(of_a, 11)
    watch.message_came(of_b, 60)
    assert bridge.told == ["a lost"], "the proxy was away, and a may come at once"
    watch.message_came(of_b, 64)
    watch.message_came(of_b, 65)
    assert bridge.told == ["a lost", "a lost"]
    assert caplog.text.count("no message of a for 5 s") == 2


def test_a_publisher_that_goes_and_comes_back_is_said_once_each(caplog) -> None:
    caplog.set_level(logging.INFO)
    bridge = Kept()
    watch = PublisherWatch(bridge, "tcp://robot:5556", 0)
    for second in range(20):
        watch.none_came(second)
    assert bridge.told == []
    assert caplog.text.count("no message from tcp://robot:5556 for 5 s; is foal-edge running there") == 1
    watch.message_came(20)
    watch.none_came(24)
    assert bridge.told == ["back"]
    watch.none_came(25)
    watch.none_came(31)
    assert bridge.told == ["back", "lost"]
    watch.message_came(40)
    assert bridge.told == ["back", "lost", "back"]
    assert caplog.text.count("messages from tcp://robot:5556 are bridged") == 2


def test_losses_are_said_when_they_grow_and_not_too_often(caplog) -> None:
    counts = {"missed": 0}
    report = LossReport(lambda: {name: n for name, n in counts.items() if n})
    for second, missed in enumerate([0, 0, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 9, 9, 9]):
        counts["missed"] = missed
        report.say(second)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["lost so far: missed 3", "lost so far: missed 9"]


def test_an_error_of_the_bridge_ends_the_loop_and_closes_it(publisher) -> None:
    class Refused(Kept):
        def check(self) -> None:
            raise FoalError("refused")

    bridge = Refused()
    publisher.publish(STATUS)
    with Subscriber(publisher.address) as subscriber, pytest.raises(FoalError, match="refused"):
        bridge_messages(subscriber, bridge, publisher.address, threading.Event())
    assert bridge.is_closed


def test_a_missing_package_names_the_extra() -> None:
    named = r"No module named 'nowhere_at_all'.*pip install 'foal-edge\[osc\]'"
    with pytest.raises(UsageError, match=named), needs_extra("osc"):
        import nowhere_at_all  # noqa: F401


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_no_word(host: str) -> None:
    check_remote(host, "OSC", insecure=False)


def test_another_machine_needs_the_users_word() -> None:
    with pytest.raises(UsageError, match=r"studio may be another machine, and OSC is not encrypted.*--insecure"):
        check_remote("studio", "OSC", insecure=False)
    check_remote("studio", "OSC", insecure=True)


def test_names_keep_only_what_means_nothing_in_a_topic() -> None:
    assert safe_name("cam-1_b/#+ é") == "cam-1_b_____"
