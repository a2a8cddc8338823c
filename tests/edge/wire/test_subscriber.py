"""The subscribers, against a plain ZeroMQ publisher and against ours."""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from edge.errors import FoalError, UsageError
from edge.wire.messages import Message, encode, topic
from edge.wire.publisher import Publisher
from edge.wire.subscriber import AsyncSubscriber, Subscriber
from tests.edge.made_messages import (
    ANY_PORT,
    ONE_OF_EACH,
    PREDICTION,
    STATS,
    STATUS,
    WAIT_S,
    nothing,
    numbered,
    unchanged,
)

ROOT = Path(__file__).parents[3]
OTHER = numbered(3, stream="cam10")
UNINTERRUPTED = """
import os, signal, sys, threading
from edge.wire.subscriber import Subscriber

threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # the timer's thread gets it, and no wait here is interrupted
with Subscriber(sys.argv[1]) as messages:
    try:
        print(*messages)
    except KeyboardInterrupt:
        print("stopped")
"""


class Desk:
    """An XPUB socket: it hears of each subscription, so that nothing is sent too early."""

    def __init__(self) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.bind(ANY_PORT)
        self.address = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def await_subscription(self) -> bytes:
        assert self.socket.poll(WAIT_S * 1000), "nobody subscribed"
        return self.socket.recv()

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.socket.send_multipart([topic(message), encode(message, "msgpack")])


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.context.destroy(linger=0)


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
def test_messages_of_either_format_are_decoded(desk: Desk, wire_format) -> None:
    with Subscriber(desk.address) as subscriber:
        desk.await_subscription()
        for message in ONE_OF_EACH:
            desk.socket.send_multipart([topic(message), encode(message, wire_format)])
        assert [subscriber.receive(WAIT_S) for _ in ONE_OF_EACH] == ONE_OF_EACH


def test_iterating_gives_one_message_after_the_other(desk: Desk) -> None:
    with Subscriber(desk.address) as subscriber:
        desk.await_subscription()
        desk.send(STATUS, OTHER)
        messages = iter(subscriber)
        assert [next(messages), next(messages)] == [STATUS, OTHER]


def test_a_topic_is_a_prefix(desk: Desk) -> None:
    with Subscriber(desk.address, "status.cam1.") as subscriber:
        assert desk.await_subscription() == b"\x01status.cam1."
        desk.send(OTHER, STATUS)
        assert subscriber.receive(WAIT_S) == STATUS


def test_without_a_message_there_is_none(desk: Desk) -> None:
    with Subscriber(desk.address) as subscriber:
        assert subscriber.receive(0.001) is None
        desk.await_subscription()
        desk.send(STATUS, STATUS)
        assert subscriber.receive(WAIT_S) == STATUS
        assert subscriber.receive(0.05) is None, "it came twice"


@pytest.mark.parametrize("latest", [False, True])
def test_a_message_of_something_else_is_named_and_the_next_one_comes(desk: Desk, latest: bool) -> None:
    with Subscriber(desk.address, latest=latest) as subscriber:
        desk.await_subscription()
        desk.socket.send_multipart([b"weather", b'{"type":"rain"}'])
        desk.send(STATUS)
        with pytest.raises(FoalError, match="a message on b'weather' is not of this version"):
            subscriber.receive(WAIT_S)
        assert subscriber.receive(WAIT_S) == STATUS


@pytest.mark.parametrize("address", ["nowhere", "tcp://", "tcp://127.0.0.1"])
@pytest.mark.parametrize("kind", [Subscriber, AsyncSubscriber])
def test_an_address_that_is_none_is_refused(kind, address: str) -> None:
    with pytest.raises(UsageError, match="no such address"):
        kind(address)


def test_a_topic_that_no_publisher_takes_is_refused() -> None:
    with pytest.raises(UsageError, match="has 101 bytes, and foal-edge accepts at most 100; topics are emotion"):
        Subscriber(topic="x" * 101)


def test_a_slow_one_gets_the_latest_and_knows_what_it_skipped_and_missed(desk: Desk) -> None:
    with Subscriber(desk.address, latest=True) as subscriber, Subscriber(desk.address, "stats.") as other:
        for _ in range(2):
            desk.await_subscription()
        desk.send(numbered(0))
        assert subscriber.receive(WAIT_S) == numbered(0)
        desk.send(*(numbered(n) for n in range(1, 5)), *(numbered(n) for n in range(7, 100)), STATS)
        assert other.receive(WAIT_S) == STATS  # the last has arrived, and with it all or most of them
        given = [subscriber.receive(WAIT_S)]
        while given[-1] != STATS:
            given.append(subscriber.receive(WAIT_S))
        place = "ab", "status.cam1."
        assert numbered(99) in given
        assert subscriber.missed == {place: 2}
        assert subscriber.skipped[place] == 97 - (len(given) - 1)


def test_both_kinds_hear_our_publisher_from_its_last_messages_on() -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    publisher.publish_each(PREDICTION)
    publisher.publish_each(STATUS)

    async def hear() -> None:
        async with AsyncSubscriber(publisher.address, "status.") as status:
            messages = aiter(status)
            assert await anext(messages) == STATUS
            publisher.publish(numbered(12))
            assert await anext(messages) == numbered(12)
            assert await status.receive(0.01) is None
            assert status.missed == {("ab", "status.cam1."): 2}

    with Subscriber(publisher.address, "emotion.") as emotion:
        assert emotion.receive(WAIT_S) == PREDICTION
        asyncio.run(hear())
        publisher.publish(numbered(301, PREDICTION))
        assert emotion.receive(WAIT_S) == numbered(301, PREDICTION)
    publisher.close()


def test_waiting_in_asyncio_lets_others_run_and_may_be_cancelled(desk: Desk) -> None:
    async def hear() -> list[Message | None]:
        async with AsyncSubscriber(desk.address, latest=True) as subscriber:
            waiting = asyncio.create_task(subscriber.receive())
            await asyncio.sleep(0)  # it begins
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            waiting = asyncio.create_task(subscriber.receive(WAIT_S))
            await asyncio.sleep(0)  # it begins
            desk.await_subscription()
            desk.send(STATUS)
            return [await waiting, await subscriber.receive(0)]

    assert asyncio.run(hear()) == [STATUS, None]


def test_importing_a_subscriber_imports_no_asyncio() -> None:
    code = "import sys, edge.wire.subscriber; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_ctrl_c_that_interrupts_no_wait_ends_it_all_the_same(desk: Desk) -> None:
    command = [sys.executable, "-c", UNINTERRUPTED, desk.address]
    assert subprocess.check_output(command, cwd=ROOT, text=True, timeout=60) == "stopped\n"


def test_the_example_of_the_readme_ends_without_a_traceback_at_ctrl_c() -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    publisher.publish(PREDICTION)
    code = example.replace("foal_edge", "edge").replace("tcp://127.0.0.1:5556", publisher.address)
    command = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert f" {PREDICTION.label} " in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    publisher.close()
    assert (process.returncode, err) == (0, "")


def test_what_comes_from_two_addresses_is_given_once(desk: Desk) -> None:
    other = Desk()
    with Subscriber([desk.address, other.address]) as subscriber:
        for each in (desk, other):
            each.await_subscription()
        desk.send(numbered(0), numbered(1))
        assert [subscriber.receive(WAIT_S) for _ in range(2)] == [numbered(0), numbered(1)]
        other.send(numbered(0), numbered(1), numbered(2))
        assert subscriber.receive(WAIT_S) == numbered(2)
        assert not subscriber.missed
    other.context.destroy(linger=0)
