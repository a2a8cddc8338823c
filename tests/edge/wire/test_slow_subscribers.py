"""Subscribers that are slow, stopped or dead: the others and the publisher do not notice."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import zmq

from edge.wire.messages import decode
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, WAIT_S, nothing, numbered, receive, unchanged

PATIENCE_S = 60
PADDING = {"x" * 20_000: 0}
"""Makes messages large enough that what the kernel buffers is little beside what is sent."""
MESSAGES, AT_ONCE = 4000, 32
SUBSCRIBER = """
import sys, zmq
with zmq.Context() as context, context.socket(zmq.SUB) as socket:
    socket.subscribe("")
    socket.connect(sys.argv[1])
    print(len(socket.recv_multipart()), flush=True)
    count = 0
    while b"the end" not in socket.recv_multipart()[1]:
        count += 1
    print(count, flush=True)
"""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    publisher.publish(numbered(0))
    yield publisher
    publisher.close()


@pytest.fixture
def good(publisher) -> Iterator[zmq.Socket]:
    """One that keeps up."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe("")
        socket.connect(publisher.address)
        assert decode(receive(socket)[1]) == numbered(0)
        yield socket


@contextmanager
def subscribed(address: str) -> Iterator[subprocess.Popen[str]]:
    """One in a process of its own, which tells at the end how many it got."""
    command = [sys.executable, "-c", SUBSCRIBER, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "2\n", "it has joined"
            yield process
        finally:
            process.kill()


def publish_all(publisher: Publisher, good: zmq.Socket) -> list[int]:
    """The numbers that arrived at the one who keeps up, a few messages at a time."""
    arrived: list[int] = []
    for begin in range(1, MESSAGES + 1, AT_ONCE):
        for number in range(begin, begin + AT_ONCE):
            publisher.publish(numbered(number, dropped=PADDING))
        arrived += [decode(receive(good)[1]).seq for _ in range(AT_ONCE)]
    return arrived


def test_one_that_never_reads_costs_the_others_nothing(publisher, good) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as idle:
        idle.setsockopt(zmq.RCVHWM, 1)
        idle.subscribe("")
        idle.connect(publisher.address)
        assert idle.poll(WAIT_S * 1000), "it has joined"
        assert publish_all(publisher, good) == list(range(1, MESSAGES + 1))
    assert not +publisher.dropped


def test_a_stopped_process_loses_messages_and_the_others_none(publisher, good) -> None:
    with subscribed(publisher.address) as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert publish_all(publisher, good) == list(range(1, MESSAGES + 1))
        os.kill(process.pid, signal.SIGCONT)
        patient_until_s = time.monotonic() + PATIENCE_S
        for number in itertools.count(MESSAGES + 1):  # until it has read what waits, however slowly it wakes
            if process.poll() is not None:
                break
            assert time.monotonic() < patient_until_s, "it reads on"
            publisher.publish(numbered(number, session="the end"))
            receive(good)
        assert 0 < int(process.stdout.read()) < MESSAGES, "what waits for one subscriber is bounded"
    assert not +publisher.dropped


def test_a_killed_process_is_forgotten(publisher, good) -> None:
    with subscribed(publisher.address) as process:
        process.kill()
        process.wait(WAIT_S)
        assert publish_all(publisher, good) == list(range(1, MESSAGES + 1))


def test_a_stopped_process_does_not_keep_the_publisher_from_closing() -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    publisher.publish(numbered(0))
    with subscribed(publisher.address) as process:
        os.kill(process.pid, signal.SIGSTOP)
        for number in range(1, 1 + AT_ONCE):
            publisher.publish(numbered(number, dropped={"x" * 2_000_000: 0}))
        publisher.close()
    assert publisher.waiting == 0
