"""Over real sockets: order, the oldest dropped, late joiners, addresses that cannot be had."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import zmq

from edge.errors import PublishError, UsageError
from edge.wire.evidence import Latency
from edge.wire.messages import Message, decode, encode, topic
from edge.wire.publisher import QUEUE_LENGTH, Publisher, stamped
from edge.wire.publishing_socket import MAX_FRAME_BYTES, MAX_SUBSCRIPTIONS_AT_ONCE
from edge.wire.sockets import MAX_TOPIC_BYTES
from tests.edge.made_messages import (
    ANY_PORT,
    EVENT,
    OF_PEOPLE,
    ONE_OF_EACH,
    PERSON,
    PREDICTION,
    STATS,
    STATUS,
    WAIT_S,
    nothing,
    numbered,
    receive,
    unchanged,
)


@pytest.fixture
def subscribe() -> Iterator[Callable[..., zmq.Socket]]:
    context, sockets = zmq.Context(), []

    def connect(address: str, *topics: str) -> zmq.Socket:
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.IPV6, int("[" in address))
        for prefix in topics or ("",):
            socket.subscribe(prefix)
        socket.connect(address)
        sockets.append(socket)
        return socket

    yield connect
    context.destroy(linger=0)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    yield publisher
    publisher.close()


@pytest.fixture
def held() -> Iterator["Held"]:
    held = Held()
    yield held
    held.go_on.set()


class Held:
    """An `on_sent` that stands still at the first message until it is told to go on."""

    def __init__(self) -> None:
        self.sending, self.go_on, self.sent = threading.Event(), threading.Event(), []
        self.arrived = threading.Semaphore(0)

    def __call__(self, message: Message) -> None:
        self.sent.append(message.seq)
        self.arrived.release()
        self.sending.set()
        assert self.go_on.wait(WAIT_S)


def frames(message: Message) -> list[bytes]:
    return [topic(message), encode(message, "msgpack")]


def publish_all(publisher: Publisher, messages: list[Message]) -> None:
    """Once this returns they are what a joiner gets."""
    for message in messages:
        publisher.publish_each(message)
    for _ in range(WAIT_S * 1000):
        if publisher.last()[-1:] == messages[-1:]:
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"not sent within {WAIT_S} s")


def test_messages_arrive_in_order_as_topic_and_map(publisher, subscribe) -> None:
    publisher.publish(numbered(0))
    socket = subscribe(publisher.address)
    assert receive(socket) == frames(numbered(0))
    for number in range(1, 20):
        publisher.publish(numbered(number))
    assert [receive(socket) for _ in range(1, 20)] == [frames(numbered(number)) for number in range(1, 20)]


@pytest.mark.parametrize("address", [ANY_PORT, "tcp://[::1]:*", "ipc"])
def test_every_kind_of_address_is_published_at(subscribe, tmp_path, address: str) -> None:
    publisher = Publisher(f"ipc://{tmp_path}/socket" if address == "ipc" else address, "msgpack", unchanged, nothing)
    publisher.publish(STATS)
    assert receive(subscribe(publisher.address)) == frames(STATS)
    publisher.close()


def test_a_topic_of_cam1_hears_nothing_of_cam10(publisher, subscribe) -> None:
    publish_all(publisher, [numbered(0, stream="cam10"), numbered(0, stream="cam1")])
    socket = subscribe(publisher.address, "status.cam1.")
    assert receive(socket) == frames(numbered(0, stream="cam1"))
    for number, stream in enumerate(["cam10", "cam1", "cam10", "cam1"]):
        publisher.publish(numbered(number, stream=stream))
    assert [decode(receive(socket)[1]).seq for _ in range(2)] == [1, 3]


def test_a_late_joiner_gets_the_last_of_every_topic_and_then_what_follows(publisher, subscribe) -> None:
    early = numbered(1, PREDICTION), numbered(1), numbered(1, EVENT), numbered(1, STATS)
    late = numbered(2, EVENT), numbered(2, STATS), numbered(2), numbered(2, PREDICTION)
    publish_all(publisher, [*early, numbered(5, stream="cam2"), *late])
    socket = subscribe(publisher.address)
    assert [receive(socket) for _ in range(5)] == [frames(m) for m in (numbered(5, stream="cam2"), *late)]
    publisher.publish(numbered(3))
    assert receive(socket) == frames(numbered(3))


def test_a_late_joiner_gets_the_last_of_its_topic_alone(publisher, subscribe) -> None:
    publish_all(publisher, [*ONE_OF_EACH, numbered(7, PREDICTION, stream="cam2"), numbered(7, stream="cam2")])
    socket = subscribe(publisher.address, "emotion.")
    assert [receive(socket) for _ in range(2)] == [
        frames(PREDICTION),
        frames(numbered(7, PREDICTION, stream="cam2")),
    ]
    publisher.publish(numbered(8, PREDICTION))
    assert receive(socket) == frames(numbered(8, PREDICTION))


def test_a_late_joiner_gets_no_message_of_people_who_have_left(publisher, subscribe) -> None:
    others = numbered(1, PERSON, person=1), numbered(1, PERSON, person=12), numbered(1, PERSON, stream="cam", person=3)
    there = numbered(1, OF_PEOPLE["status"], people=[1, 12], left=[2])
    publish_all(publisher, [PERSON, *others, there])
    socket = subscribe(publisher.address, "person.", "status.")
    assert sorted(receive(socket) for _ in range(4)) == sorted(map(frames, (*others, there)))
    publisher.publish(numbered(2, STATUS))
    assert receive(socket) == frames(numbered(2, STATUS))
    ends_s = time.monotonic() + WAIT_S  # what was sent is kept a moment later
    while publisher.last() != [others[2], numbered(2, STATUS)]:
        assert time.monotonic() < ends_s, publisher.last()
        time.sleep(0.01)


def test_eighty_streams_reach_a_late_joiner_at_once(publisher, subscribe) -> None:
    kinds = PREDICTION, EVENT, STATUS
    messages = [numbered(1, kind, stream=f"cam{number}") for number in range(80) for kind in kinds]
    publish_all(publisher, [*messages, STATS])
    socket = subscribe(publisher.address)
    assert [receive(socket) for _ in range(241)] == [frames(message) for message in (*messages, STATS)]


def test_those_who_are_there_already_are_sent_nothing_again(publisher, subscribe) -> None:
    publish_all(publisher, ONE_OF_EACH)
    there = []
    for prefix, expected in (("", ONE_OF_EACH), ("stats.", [STATS]), ("ev", [EVENT])):
        there.append(subscribe(publisher.address, prefix))
        assert [receive(there[-1]) for _ in expected] == [frames(message) for message in expected]
    for _ in range(5):
        joiner = subscribe(publisher.address, "emotion.", "event.", "status.", "stats.", "person.", "picture.")
        assert sorted(receive(joiner) for _ in ONE_OF_EACH) == sorted(map(frames, ONE_OF_EACH))
    following = numbered(4, EVENT), numbered(4, STATS)
    for message in following:
        publisher.publish(message)
    for socket, expected in zip(there, (following, following[1:], following[:1]), strict=True):
        assert [receive(socket) for _ in expected] == [frames(message) for message in expected]


def test_a_second_topic_brings_only_what_the_first_did_not(publisher, subscribe) -> None:
    publish_all(publisher, ONE_OF_EACH)
    socket = subscribe(publisher.address, "emotion.cam1.", "emotion.", "stats.")
    assert [receive(socket) for _ in range(2)] == [frames(PREDICTION), frames(STATS)]
    socket.subscribe("")
    rest = [message for message in ONE_OF_EACH if message not in (PREDICTION, STATS)]
    assert sorted(receive(socket) for _ in rest) == sorted(map(frames, rest))
    publisher.publish(numbered(301, PREDICTION))
    assert receive(socket) == frames(numbered(301, PREDICTION))


def test_who_leaves_a_topic_hears_no_more_and_nobody_else_misses_anything(publisher, subscribe) -> None:
    publish_all(publisher, [PREDICTION, STATS])
    leaver = subscribe(publisher.address, "emotion.", "stats.")
    assert receive(leaver) != receive(leaver)
    stayer = subscribe(publisher.address)
    assert [receive(stayer) for _ in range(2)] == [frames(PREDICTION), frames(STATS)]
    leaver.unsubscribe("emotion.")
    leaver.subscribe("event.")
    publisher.publish(EVENT)
    assert receive(leaver) == frames(EVENT), "both changes have arrived"
    for number in range(3):
        publisher.publish(numbered(number, PREDICTION))
    publisher.publish(numbered(0, STATS))
    assert receive(leaver) == frames(numbered(0, STATS))
    assert [decode(receive(stayer)[1]).seq for _ in range(5)] == [EVENT.seq, 0, 1, 2, 0]


def test_a_storm_of_subscriptions_holds_nothing_up(publisher, subscribe) -> None:
    publish_all(publisher, [numbered(0)])
    listener, storm = subscribe(publisher.address), subscribe(publisher.address, "status.")
    assert receive(listener) == receive(storm) == frames(numbered(0))
    for number in range(20 * MAX_SUBSCRIPTIONS_AT_ONCE):
        storm.subscribe(f"emotion.{number}.")
    storm.subscribe("")
    for number in range(1, 50):
        publisher.publish(numbered(number))
    heard = [0]
    while heard[-1] != 49:
        heard.append(decode(receive(listener)[1]).seq)
    # both joined at the same moment: the first of them may have got the last message twice
    assert heard in ([*range(50)], [0, *range(50)])


def test_a_stranger_who_sends_anything_changes_nothing(publisher, subscribe) -> None:
    publish_all(publisher, [STATS])
    with zmq.Context() as context, context.socket(zmq.XSUB) as stranger:
        stranger.connect(publisher.address)
        for rubbish in (b"", b"\x02stats.", b"stats.", b"\x00stats.", bytes(range(256)), b"\x01"):
            stranger.send(rubbish)
        assert receive(stranger) == frames(STATS)
        stranger.send(b"\x01" * (MAX_FRAME_BYTES + 1))
    assert receive(subscribe(publisher.address)) == frames(STATS)


def test_no_topic_is_as_long_as_the_longest_subscription_that_is_taken(publisher, subscribe) -> None:
    longest = numbered(0, PREDICTION, stream="x" * 64)
    assert len(topic(longest)) < MAX_TOPIC_BYTES
    publish_all(publisher, [longest])
    socket = subscribe(publisher.address, "emotion." + "x" * MAX_TOPIC_BYTES, topic(longest).decode())
    assert receive(socket) == frames(longest)


def test_what_waits_is_sent_before_it_closes(subscribe) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    publisher.publish(numbered(0))
    socket = subscribe(publisher.address)
    assert receive(socket) == frames(numbered(0))
    for number in range(1, 33):
        publisher.publish(numbered(number))
    publisher.close()
    assert [receive(socket) for _ in range(32)] == [frames(numbered(number)) for number in range(1, 33)]


@pytest.mark.parametrize("too_many", [0, 1, 10])
def test_where_sending_falls_behind_the_oldest_are_dropped_and_counted(held, too_many: int) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, held)
    publisher.publish(numbered(0))
    assert held.sending.wait(WAIT_S)
    for number in range(1, 1 + QUEUE_LENGTH + too_many):
        publisher.publish(numbered(number))
    counted, waiting = publisher.dropped["messages_queue"], publisher.waiting
    held.go_on.set()
    for _ in range(1 + QUEUE_LENGTH):
        assert held.arrived.acquire(timeout=WAIT_S)
    publisher.close()
    assert (counted, waiting) == (too_many, QUEUE_LENGTH)
    assert held.sent == [0, *range(1 + too_many, 1 + QUEUE_LENGTH + too_many)]


def test_a_full_queue_is_sent_whole_before_it_closes(held) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, held)
    publisher.publish(numbered(0))
    assert held.sending.wait(WAIT_S)
    for number in range(1, 1 + QUEUE_LENGTH):
        publisher.publish(numbered(number))
    threading.Timer(0.2, held.go_on.set).start()
    publisher.close()
    assert held.sent == list(range(1 + QUEUE_LENGTH))
    assert not +publisher.dropped


def test_publishing_each_waits_and_drops_nothing() -> None:
    sent: list[int] = []
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, lambda message: sent.append(message.seq))
    for number in range(5 * QUEUE_LENGTH):
        publisher.publish_each(numbered(number))
    publisher.close()
    assert sent == list(range(5 * QUEUE_LENGTH))
    assert not +publisher.dropped


def test_what_broke_the_thread_is_raised_and_closing_does_not_hang() -> None:
    def fail(_: Message) -> None:
        raise BrokenPipeError("the terminal is gone")

    publisher = Publisher(ANY_PORT, "msgpack", unchanged, fail)

    def publish_on() -> None:
        while True:
            publisher.publish(numbered(0))

    with pytest.raises(BrokenPipeError):
        publish_on()
    with pytest.raises(BrokenPipeError):
        publisher.close()


def test_an_address_in_use_is_named_with_a_remedy(publisher) -> None:
    with pytest.raises(PublishError) as refused:
        Publisher(publisher.address, "msgpack", unchanged, nothing)
    assert str(refused.value).startswith(f"cannot publish at {publisher.address}: Address already in use")
    assert "--bind" in str(refused.value)


@pytest.mark.parametrize("address", ["nowhere", "tcp://", "tcp://256.0.0.1:1", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"^--bind .*; give tcp://HOST:PORT"):
        Publisher(address, "msgpack", unchanged, nothing)


def test_a_stamp_is_the_time_of_leaving_and_the_latency_that_follows(clock) -> None:
    clock.time_ns = 7_250_000_000
    stamp = stamped(numbered(0, PREDICTION, mono_end=7_000_000_000), clock)
    assert (stamp.mono_publish, stamp.t_publish) == (7_250_000_000, 1_007_250_000_000)
    assert (stamp.mono_end, stamp.latency_ms) == (7_000_000_000, Latency(1, 2, 3, 250.0))
    assert stamped(numbered(0, PERSON, mono_end=7_000_000_000), clock).latency_ms.total == 250.0
    for message in ONE_OF_EACH:
        stamp = stamped(message, clock)
        assert (stamp.mono_publish, stamp.t_publish) == (7_250_000_000, 1_007_250_000_000)
        assert (type(stamp), stamp.seq) == (type(message), message.seq)


def test_a_message_of_another_moment_is_dropped_and_counted() -> None:
    sent: list[int] = []
    publisher = Publisher(
        ANY_PORT,
        "msgpack",
        lambda message: message if message.seq % 2 else None,
        lambda message: sent.append(message.seq),
    )
    for number in range(10):
        publisher.publish_each(numbered(number))
    publisher.close()
    assert (sent, +publisher.dropped) == ([1, 3, 5, 7, 9], {"messages_stale": 5})
