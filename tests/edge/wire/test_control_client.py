"""The asking side, against the real port and against others."""

import threading
from collections.abc import Iterator

import msgspec
import pytest
import zmq

from edge.errors import FoalError, SourceError, UsageError
from edge.wire.control_client import ControlClient
from edge.wire.control_messages import (
    AskClock,
    AskLast,
    AskStatus,
    AskStop,
    ClockReply,
    LastReply,
    StatusReply,
    StopReply,
)
from edge.wire.control_server import ControlServer
from tests.edge.made_messages import ANY_PORT, EVENT, ONE_OF_EACH, PERSON, PREDICTION, STATS, STATUS, WAIT_S


@pytest.fixture
def client(clock) -> Iterator[ControlClient]:
    clock.time_ns = 9
    control = ControlServer(ANY_PORT, {"pid": "7"}, lambda: ONE_OF_EACH, clock, None)
    with ControlClient(control.address, timeout_s=WAIT_S) as client:
        yield client
    control.close()


def test_replies_are_structs(client) -> None:
    assert client.ask(AskStatus(), StatusReply) == StatusReply({"pid": "7"}, [STATUS], STATS)
    assert client.ask(AskLast("cam1"), LastReply) == LastReply([PREDICTION], [EVENT], [PERSON])
    assert client.ask(AskClock(), ClockReply) == ClockReply(9, 9, 1_000_000_000_009)


def test_a_refusal_is_raised_with_what_it_says(client) -> None:
    with pytest.raises(FoalError, match="refused: this foal-edge may not be stopped from here"):
        client.ask(AskStop(), StopReply)
    with pytest.raises(FoalError, match="refused: no stream 'cam9'; there are: cam1"):
        client.ask(AskLast("cam9"), LastReply)


def test_silence_is_named() -> None:
    reason = r"no answer from tcp://127.0.0.1:9 within 0.01 s; is foal-edge running"
    with ControlClient("tcp://127.0.0.1:9", timeout_s=0.01) as client, pytest.raises(SourceError, match=reason):
        client.ask(AskClock(), ClockReply)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="no such address: nowhere"):
        ControlClient("nowhere")


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"\x81\xa1a\x01", msgspec.msgpack.encode({"mono_ns": "late"}), b"\x92"]
)
def test_something_else_that_answers_is_named(body: bytes) -> None:
    with zmq.Context() as context, context.socket(zmq.REP) as other:
        other.bind(ANY_PORT)
        address = other.getsockopt_string(zmq.LAST_ENDPOINT)
        answering = threading.Thread(target=lambda: other.poll(WAIT_S * 1000) and other.recv() and other.send(body))
        answering.start()
        reason = f"the answer from {address} is not of this version"
        with ControlClient(address, timeout_s=WAIT_S) as client, pytest.raises(FoalError, match=reason):
            client.ask(AskClock(), ClockReply)
        answering.join()


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one() -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as other:
        other.bind(ANY_PORT)
        with ControlClient(other.getsockopt_string(zmq.LAST_ENDPOINT), timeout_s=0.2) as client:
            with pytest.raises(SourceError, match="no answer"):
                client.ask(AskClock(), ClockReply)
            first = other.recv_multipart()

            def answer_both() -> None:
                assert other.poll(WAIT_S * 1000)
                second = other.recv_multipart()
                for envelope, time_ns in ((first[:-1], 1), (second[:-1], 2)):
                    other.send_multipart([*envelope, msgspec.msgpack.encode(ClockReply(time_ns, time_ns, time_ns))])

            answering = threading.Thread(target=answer_both)
            answering.start()
            client._timeout_s = WAIT_S
            assert client.ask(AskClock(), ClockReply) == ClockReply(2, 2, 2)
            answering.join()
