"""The control port over real sockets: what it answers, what it refuses, and that nothing ends it."""

import json
import random
import socket
import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
import zmq

from edge.errors import PublishError, UsageError
from edge.wire.control_messages import schema
from edge.wire.control_server import MAX_REQUEST_BYTES, ControlServer
from edge.wire.messages import Message
from tests.edge.made_messages import ANY_PORT, EVENT, PREDICTION, STATS, STATUS, WAIT_S, numbered

ABOUT = {"bundle": "tiny 0.0.1", "session": "ab"}
LAST = [PREDICTION, EVENT, STATUS, STATS, numbered(1, PREDICTION, stream="cam2"), numbered(4, stream="cam2")]
GARBAGE = 100_000
AT_ONCE = 25
"""Of each client: fewer than the replies that may wait for it."""


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def control(clock, stop) -> Iterator[ControlServer]:
    control = ControlServer(ANY_PORT, ABOUT, lambda: LAST, clock, stop)
    yield control
    control.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., zmq.Socket]]:
    context, sockets = zmq.Context(), []

    def connected(control: ControlServer, kind: int = zmq.REQ) -> zmq.Socket:
        sock = context.socket(kind)
        sock.setsockopt(zmq.LINGER, 0)
        sock.connect(control.address)
        sockets.append(sock)
        return sock

    yield connected
    context.destroy(linger=0)


def ask(sock: zmq.Socket, *frames: bytes) -> bytes:
    sock.send_multipart(frames)
    assert sock.poll(WAIT_S * 1000), f"no answer within {WAIT_S} s"
    (reply,) = sock.recv_multipart()
    return reply


def plain(messages: list[Message]) -> list[object]:
    return [json.loads(msgspec.json.encode(message)) for message in messages]


def test_status_tells_what_runs_and_the_last_of_each_stream(control, connect) -> None:
    assert json.loads(ask(connect(control), b"status")) == {
        "about": ABOUT,
        "streams": plain([STATUS, numbered(4, stream="cam2")]),
        "stats": plain([STATS])[0],
    }


def test_last_is_the_last_prediction_and_event_of_each_stream(control, connect) -> None:
    assert json.loads(ask(connect(control), b"last")) == {
        "predictions": plain([PREDICTION, numbered(1, PREDICTION, stream="cam2")]),
        "events": plain([EVENT]),
    }


def test_a_map_may_name_a_stream(control, connect) -> None:
    socket = connect(control)
    reply = json.loads(ask(socket, b'{"ask": "last", "stream": "cam2"}'))
    assert reply == {"predictions": plain([numbered(1, PREDICTION, stream="cam2")]), "events": []}
    reply = json.loads(ask(socket, b'{"ask": "status", "stream": "cam1"}'))
    assert reply["streams"] == plain([STATUS])


@pytest.mark.parametrize("kind", [zmq.REQ, zmq.DEALER])
def test_each_format_is_answered_in_its_own(control, connect, kind: int) -> None:
    socket = connect(control, kind)
    bare = json.loads(ask(socket, b"last"))
    assert json.loads(ask(socket, b'{"ask":"last"}')) == bare
    assert msgspec.msgpack.decode(ask(socket, msgspec.msgpack.encode({"ask": "last"}))) == bare


def test_clock_is_read_when_asked_and_when_answered(control, connect, clock) -> None:
    clock.time_ns = 5_000
    assert json.loads(ask(connect(control), b"clock")) == {
        "received_mono_ns": 5_000,
        "mono_ns": 5_000,
        "unix_ns": 1_000_000_005_000,
    }


def test_schema_is_sent_whole(control, connect) -> None:
    assert json.loads(ask(connect(control), b"schema")) == schema()


def test_before_anything_was_said_there_is_nothing(clock, connect) -> None:
    control = ControlServer(ANY_PORT, ABOUT, list, clock, None)
    socket = connect(control)
    assert json.loads(ask(socket, b"status")) == {"about": ABOUT, "streams": [], "stats": None}
    assert json.loads(ask(socket, b"last")) == {"predictions": [], "events": []}
    assert "there are: none yet" in json.loads(ask(socket, b'{"ask":"last","stream":"cam1"}'))["error"]
    control.close()


def test_stop_stops_where_it_may(control, connect, stop) -> None:
    assert not stop.is_set()
    assert json.loads(ask(connect(control), b"stop")) == {"stopping": True}
    assert stop.is_set()


def test_stop_is_refused_where_it_may_not(clock, connect) -> None:
    control = ControlServer(ANY_PORT, ABOUT, lambda: LAST, clock, None)
    assert "--allow-stop" in json.loads(ask(connect(control), b"stop"))["error"]
    control.close()


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([b""], "found ''"),
        ([b"weather"], "found 'weather'"),
        ([b"last", b"status"], "2 frames"),
        ([b'{"ask":"weather"}'], "ask: found 'weather', expected 'status' or"),
        ([b'{"ask":"last","steam":"cam1"}'], "'steam' is none of ask, stream"),
        ([b'{"ask":"clock","stream":"cam1"}'], "'stream' is none of ask;"),
        ([b'{"ask":"last","stream":7}'], "stream: found 7, expected text or null"),
        ([b"{}"], "it lacks 'ask'"),
        ([b'{"ask"'], "it breaks off"),
        ([b'{"ask":"last"} and more'], "no JSON: trailing characters"),
        ([b'{"x":' + b"[" * 4000], "nested too deeply"),
        ([b'{"ask":"last","stream":"' + b"\xff" + b'"}'], "no text in UTF-8"),
        ([b'{"ask":"last","stream":"\\ud83d"}'], "it breaks off"),
        ([b"\xff" * MAX_REQUEST_BYTES], "found '"),
    ],
)
@pytest.mark.parametrize("kind", [zmq.REQ, zmq.DEALER])
def test_what_is_no_request_is_answered_with_what_was_expected(control, connect, kind, frames, reason: str) -> None:
    error = json.loads(ask(connect(control, kind), *frames))["error"]
    assert reason in error
    assert "expected one of the words status, last, clock, schema, stop" in error
    assert len(error) < 400


@pytest.mark.parametrize(
    "body", [b"\x81", b"\x80", b"\x81\xa3ask\xa1x", b"\x81\xa3ask\xa1\xff", b"\x81\xa1x" + b"\x91" * 4000]
)
def test_a_refusal_of_messagepack_is_messagepack(control, connect, body: bytes) -> None:
    assert "expected one of the words" in msgspec.msgpack.decode(ask(connect(control), body))["error"]


@pytest.mark.parametrize("stream", ["cam3", "\n", "é", ""])
def test_a_stream_that_is_not_there_is_named(control, connect, stream: str) -> None:
    request = json.dumps({"ask": "status", "stream": stream}).encode()
    error = json.loads(ask(connect(control), request))["error"]
    assert error == f"no stream {stream!r}; there are: cam1, cam2"


def garbage(chance: random.Random) -> list[bytes]:
    """Frames that may be anything: noise, nearly a request, a request."""
    pieces = [
        b"",
        b"last",
        b"status",
        b"clock",
        b'{"ask":',
        b'"last"',
        b"}",
        b"\x81\xa3ask",
        b"\xa4last",
        b"\xdf",
        b"[",
    ]
    frames = []
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        if chance.random() < 0.5:
            frames.append(b"".join(chance.choices(pieces, k=chance.randrange(6))))
        else:
            frames.append(chance.randbytes(chance.choice([1, 2, 7, 40, 300])))
    return frames


def test_a_hundred_thousand_random_messages_leave_it_as_it_was(control, connect, stop) -> None:
    chance = random.Random(7)
    clients, polite = [connect(control, zmq.DEALER) for _ in range(4)], connect(control)
    answers = 0
    for _ in range(GARBAGE // (len(clients) * AT_ONCE)):
        for client in clients:
            for _ in range(AT_ONCE):
                client.send_multipart(garbage(chance))
        for client in clients:
            assert ask_after_all(client)
            assert ask(polite, *garbage(chance))
            answers += 1
    assert answers == GARBAGE // AT_ONCE
    assert json.loads(ask(connect(control), b"status"))["about"] == ABOUT
    assert not stop.is_set()


def ask_after_all(client: zmq.Socket) -> bool:
    """Whether a client's clock is answered after what it sent before; the other answers are read and let go."""
    client.send_multipart([b"the last one", b"", b"clock"])
    while client.poll(WAIT_S * 1000):
        if client.recv_multipart()[:-1] == [b"the last one", b""]:
            return True
    return False


def test_those_who_send_too_much_or_leave_or_never_read_harm_nobody(control, connect) -> None:
    huge, silent, honest = (connect(control, kind) for kind in (zmq.DEALER, zmq.DEALER, zmq.REQ))
    for number in range(20):
        huge.send(b"x" * (MAX_REQUEST_BYTES + 1))
        for _ in range(100):
            silent.send(b"schema")
        with zmq.Context() as context, context.socket(zmq.REQ) as leaver:
            leaver.setsockopt(zmq.LINGER, 50)
            leaver.connect(control.address)
            leaver.send(b"schema")
        assert "unix_ns" in json.loads(ask(honest, b"clock")), number
    assert not huge.poll(0)


def test_a_client_of_the_oldest_zeromq_is_answered_and_ends_nothing(control, connect) -> None:
    host, port = control.address.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as client:
        client.sendall(b"\x01\x00" + b"\x01\x01" + b"\x07\x00status")  # ZMTP 1.0: no name, an empty frame, the body
        answer = b""
        while b"tiny 0.0.1" not in answer:
            answer += client.recv(4096) or pytest.fail(f"the connection ended after {answer!r}")
    assert json.loads(ask(connect(control), b"status"))["about"] == ABOUT


def test_an_address_that_cannot_be_had_is_named(control, clock) -> None:
    with pytest.raises(PublishError, match=f"cannot answer at {control.address}: Address already in use.*--control"):
        ControlServer(control.address, {}, list, clock, None)
    with pytest.raises(UsageError, match="--control nowhere begins with neither tcp:// nor ipc://"):
        ControlServer("nowhere", {}, list, clock, None)


def test_what_broke_it_is_logged_and_raised(clock, connect, caplog) -> None:
    asked = threading.Event()

    def fail() -> list[Message]:
        asked.set()
        raise BrokenPipeError("gone")

    control = ControlServer(ANY_PORT, ABOUT, fail, clock, None)
    connect(control).send(b"last")
    assert asked.wait(WAIT_S)
    with pytest.raises(BrokenPipeError):
        control.close()
    assert "the control port has failed: BrokenPipeError('gone')" in caplog.text
