"""Bridges run here: a publisher with a prediction to come, and the loop of a bridge in a thread."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from edge.bridges.base import Bridge
from edge.bridges.run import bridge_messages
from edge.wire.publisher import Publisher
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import ANY_PORT, WAIT_S, nothing, unchanged


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    yield publisher
    publisher.close()


def await_that(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so; fail, saying what, where it does not become so."""
    end_s = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end_s, f"{what}: not so after {WAIT_S} s"
        time.sleep(0.01)


@pytest.fixture
def eventually() -> Callable[[Callable[[], object], str], None]:
    return await_that


@pytest.fixture
def running(publisher: Publisher) -> Callable[[Bridge], object]:
    """Run a bridge between the publisher and its other side for the length of a block, and close it."""

    @contextmanager
    def run(bridge: Bridge) -> Iterator[None]:
        stop = threading.Event()
        errors: list[BaseException] = []

        def loop() -> None:
            with Subscriber(publisher.address) as subscriber:
                try:
                    bridge_messages(subscriber, bridge, publisher.address, stop)
                except BaseException as error:
                    errors.append(error)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(WAIT_S)
        assert not thread.is_alive()
        if errors:
            raise errors[0]

    return run
