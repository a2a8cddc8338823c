"""Over real sockets: order, the oldest dropped, slow subscribers, addresses that cannot be had."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
import pytest
import zmq

from edge.errors import PublishError
from edge.messages import AudioEvidence, Latency, Message, Prediction, Status, VideoEvidence, encode
from edge.publisher import MOST_WAITING, Publisher, stamped

ANY_PORT = "tcp://127.0.0.1:*"
WAIT_S = 20


def status(number: int, stream: str = "cam1") -> Status:
    return Status(1, "ab", stream, number, number, "online", "ok", "ok", {})


def unchanged(message: Message) -> Message:
    return message


def nothing(_: Message) -> None:
    pass


@pytest.fixture
def subscribe() -> Iterator[Callable[..., zmq.Socket]]:
    context, sockets = zmq.Context(), []

    def connect(address: str, topic: str = "", most: int = 0) -> zmq.Socket:
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, most)
        socket.subscribe(topic)
        socket.connect(address)
        sockets.append(socket)
        return socket

    yield connect
    context.destroy(linger=0)


def publish_until_heard(publisher: Publisher, socket: zmq.Socket) -> None:
    """Until the subscription has reached the publisher: it travels on its own."""
    for _ in range(1000):
        publisher.publish(status(-1))
        if socket.poll(20):
            return
    raise AssertionError("no subscription after 20 s")


def received_after(socket: zmq.Socket) -> Iterator[list[bytes]]:
    """Messages but those of `publish_until_heard`."""
    while socket.poll(WAIT_S * 1000):
        topic, body = socket.recv_multipart()
        if msgspec.msgpack.decode(body)["t_publish"] >= 0:
            yield [topic, body]


def test_messages_arrive_in_order_as_topic_and_map(subscribe) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", Counter(), unchanged, nothing)
    socket = subscribe(publisher.address)
    publish_until_heard(publisher, socket)
    for number in range(20):
        publisher.publish(status(number))
    arrived = received_after(socket)
    for number in range(20):
        assert next(arrived) == [b"status.cam1.", encode(status(number), "msgpack")]
    publisher.close()


def test_a_topic_of_cam1_hears_nothing_of_cam10(subscribe) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", Counter(), unchanged, nothing)
    socket = subscribe(publisher.address, "status.cam1.")
    publish_until_heard(publisher, socket)
    for number, stream in enumerate(["cam10", "cam1", "cam10", "cam1"]):
        publisher.publish(status(number, stream))
    arrived = received_after(socket)
    assert [msgspec.msgpack.decode(next(arrived)[1])["t_publish"] for _ in range(2)] == [1, 3]
    publisher.close()


def test_what_waits_is_sent_before_it_closes(subscribe) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", Counter(), unchanged, nothing)
    socket = subscribe(publisher.address)
    publish_until_heard(publisher, socket)
    for number in range(MOST_WAITING // 2):
        publisher.publish(status(number))
    publisher.close()
    arrived = received_after(socket)
    assert [next(arrived)[1] for _ in range(32)] == [encode(status(n), "msgpack") for n in range(32)]


@pytest.mark.parametrize("too_many", [0, 1, 10])
def test_where_sending_falls_behind_the_oldest_are_dropped_and_counted(too_many: int) -> None:
    sending, go_on, sent, dropped = threading.Event(), threading.Event(), [], Counter()
    arrived = threading.Semaphore(0)

    def hold(message: Message) -> None:
        sent.append(message.t_publish)
        arrived.release()
        sending.set()
        assert go_on.wait(WAIT_S)

    publisher = Publisher(ANY_PORT, "msgpack", dropped, unchanged, hold)
    publisher.publish(status(0))
    assert sending.wait(WAIT_S)
    for number in range(1, 1 + MOST_WAITING + too_many):
        publisher.publish(status(number))
    counted = dropped["messages_queue"]
    go_on.set()
    while len(sent) <= MOST_WAITING:
        assert arrived.acquire(timeout=WAIT_S)
    publisher.close()
    assert counted == too_many
    assert sent == [0, *range(1 + too_many, 1 + MOST_WAITING + too_many)]


def test_a_subscriber_that_never_reads_blocks_nobody(subscribe) -> None:
    sent, dropped = threading.Semaphore(0), Counter()
    publisher = Publisher(ANY_PORT, "msgpack", dropped, unchanged, lambda _: sent.release())
    publish_until_heard(publisher, subscribe(publisher.address, most=1))
    for number in range(3000):
        publisher.publish(status(number))
        assert sent.acquire(timeout=WAIT_S)
    publisher.close()
    assert dropped["messages_queue"] == 0


def test_a_full_queue_is_sent_whole_before_it_closes() -> None:
    sending, go_on, sent, dropped = threading.Event(), threading.Event(), [], Counter()

    def hold(message: Message) -> None:
        sent.append(message.t_publish)
        sending.set()
        assert go_on.wait(WAIT_S)

    publisher = Publisher(ANY_PORT, "msgpack", dropped, unchanged, hold)
    publisher.publish(status(0))
    assert sending.wait(WAIT_S)
    for number in range(1, 1 + MOST_WAITING):
        publisher.publish(status(number))
    threading.Timer(0.2, go_on.set).start()
    publisher.close()
    assert sent == list(range(1 + MOST_WAITING))
    assert dropped["messages_queue"] == 0


def test_what_broke_the_thread_is_raised_and_closing_does_not_hang() -> None:
    def fail(_: Message) -> None:
        raise BrokenPipeError("the terminal is gone")

    publisher = Publisher(ANY_PORT, "msgpack", Counter(), unchanged, fail)

    def publish_on() -> None:
        while True:
            publisher.publish(status(0))

    with pytest.raises(BrokenPipeError):
        publish_on()
    with pytest.raises(BrokenPipeError):
        publisher.close()


def test_an_address_in_use_is_named_with_a_remedy() -> None:
    first = Publisher(ANY_PORT, "msgpack", Counter(), unchanged, nothing)
    with pytest.raises(PublishError) as refused:
        Publisher(first.address, "msgpack", Counter(), unchanged, nothing)
    first.close()
    assert str(refused.value).startswith(f"cannot publish at {first.address}: Address already in use")
    assert "--bind" in str(refused.value)


@pytest.mark.parametrize("address", ["nowhere", "tcp://", "tcp://256.0.0.1:1", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(PublishError, match="cannot publish at"):
        Publisher(address, "msgpack", Counter(), unchanged, nothing)


def test_a_stamp_is_the_time_of_leaving_and_the_latency_that_follows(clock) -> None:
    clock.time_ns = 7_250_000_000
    prediction = Prediction(
        1, "ab", "cam1", 0, 0, 0, 0, 0, 7_000_000_000, 0, "calm", ["calm"], [1.0], 1.0, None,
        AudioEvidence("ok", -20.0, 0.5), VideoEvidence("off", None, None, 0), Latency(1, 2, 3, 0), {}, "b", "n",
    )  # fmt: skip
    stamp = stamped(prediction, clock)
    assert (stamp.mono_publish, stamp.t_publish) == (7_250_000_000, 1_007_250_000_000)
    assert stamp.latency_ms == Latency(1, 2, 3, 250.0)
    assert (stamped(status(0), clock).mono_publish, stamp.mono_end) == (7_250_000_000, 7_000_000_000)


def test_publishing_each_waits_and_drops_nothing() -> None:
    sent, dropped = [], Counter()
    publisher = Publisher(ANY_PORT, "msgpack", dropped, unchanged, lambda message: sent.append(message.t_publish))
    for number in range(5 * MOST_WAITING):
        publisher.publish_each(status(number))
    publisher.close()
    assert sent == list(range(5 * MOST_WAITING))
    assert dropped["messages_queue"] == 0
