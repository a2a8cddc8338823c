"""The OSC bridge, heard by python-osc's own parser and by one written from the specification."""

import logging
import socket
import struct
from collections.abc import Iterator

import pytest

osc_bundle = pytest.importorskip("pythonosc.osc_bundle", reason="pip install 'foal-edge[osc]'")

from edge.bridges.osc import OscBridge, address_part, bundle, values  # noqa: E402
from edge.errors import PublishError  # noqa: E402
from edge.wire.messages import AudioEvidence  # noqa: E402
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PREDICTION, STATS, STATUS, WAIT_S, numbered  # noqa: E402

UNIX_NS = 1_764_000_000_123_456_789
LATE = numbered(2**33, PREDICTION, t_end=UNIX_NS, audio=AudioEvidence("ok", -21.5, 0.75), agreement=0.5)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        yield receiver


def padded(data: bytes, at: int) -> tuple[bytes, int]:
    """The text at a place of an OSC message, and where the next part begins."""
    end = data.index(b"\0", at)
    return data[at:end], end // 4 * 4 + 4


def parsed(datagram: bytes) -> dict[str, tuple[str, list[object]]]:
    """A bundle by the specification of OSC 1.0: address -> type tags and arguments."""
    assert datagram[:8] == b"#bundle\0"
    assert struct.unpack(">Q", datagram[8:16]) == (1,), "the time tag is not `immediately`"
    found, at = {}, 16
    while at < len(datagram):
        (size,) = struct.unpack_from(">i", datagram, at)
        content = datagram[at + 4 : at + 4 + size]
        address, place = padded(content, 0)
        tags, place = padded(content, place)
        arguments: list[object] = []
        for tag in tags[1:].decode():
            if tag == "s":
                text, place = padded(content, place)
                arguments.append(text.decode())
            else:
                form = {"i": ">i", "h": ">q", "f": ">f", "d": ">d"}[tag]
                arguments += struct.unpack_from(form, content, place)
                place += struct.calcsize(form)
        assert place == size
        found[address.decode()] = tags.decode(), arguments
        at += 4 + size
    return found


def test_a_prediction_arrives_with_its_types_and_its_exact_time() -> None:
    found = parsed(bundle(LATE).dgram)
    assert found == {
        "/foal-edge/cam1/time": (",hd", [UNIX_NS, UNIX_NS / 1e9]),
        "/foal-edge/cam1/seq": (",h", [2**33]),
        "/foal-edge/cam1/label": (",s", ["glad"]),
        "/foal-edge/cam1/confidence": (",f", [0.75]),
        "/foal-edge/cam1/prob/calm": (",f", [0.25]),
        "/foal-edge/cam1/prob/glad": (",f", [0.75]),
        "/foal-edge/cam1/audio": (",s", ["ok"]),
        "/foal-edge/cam1/video": (",s", ["ok"]),
        "/foal-edge/cam1/agreement": (",f", [0.5]),
        "/foal-edge/cam1/speech": (",f", [0.75]),
        "/foal-edge/cam1/rms_dbfs": (",f", [-21.5]),
        "/foal-edge/cam1/faces": (",i", [1]),
        "/foal-edge/cam1/box": (",iiii", [1, 2, 300, 4]),
    }


def test_a_person_has_addresses_below_those_of_the_stream() -> None:
    found = parsed(bundle(PERSON).dgram)
    assert all(address.startswith("/foal-edge/cam1/person/2/") for address in found)
    assert found["/foal-edge/cam1/person/2/label"] == (",s", ["calm"])
    assert found["/foal-edge/cam1/person/2/box"] == (",iiii", [400, 5, 60, 70])
    assert found["/foal-edge/cam1/person/2/steady"] == (",s", ["uncertain"])
    assert found["/foal-edge/cam1/person/2/voice_of"] == (",s", ["person"])


def test_who_is_there_and_who_is_the_main_person() -> None:
    assert parsed(bundle(OF_PEOPLE["prediction"]).dgram)["/foal-edge/cam1/main_person"] == (",i", [2])
    assert parsed(bundle(OF_PEOPLE["status"]).dgram)["/foal-edge/cam1/people"] == (",ii", [1, 2])
    empty = numbered(3, people=[], left=[1, 2])
    assert parsed(bundle(empty).dgram)["/foal-edge/cam1/people"] == (",", []), "the last have left"


def test_the_time_has_the_same_type_where_it_is_small() -> None:
    assert parsed(bundle(PREDICTION).dgram)["/foal-edge/cam1/time"] == (",hd", [2, 2e-9])


def test_what_is_null_is_left_out() -> None:
    assert not {"/foal-edge/cam1/agreement", "/foal-edge/cam1/speech"} & set(parsed(bundle(PREDICTION).dgram))


def test_an_event_and_a_status() -> None:
    assert parsed(bundle(EVENT).dgram) == {"/foal-edge/cam1/event": (",ssfhh", ["uncertain", "glad", 0.5, 7, 2])}
    assert parsed(bundle(STATUS).dgram) == {"/foal-edge/cam1/status": (",ssshh", ["online", "ok", "off", 5, 9])}
    assert values(STATS) == []


def test_names_that_would_be_patterns_are_made_harmless() -> None:
    assert address_part("not sure?/[é]") == "not_sure_____"
    assert address_part("cam-1.b") == "cam-1.b"


def test_bundles_go_from_the_publisher_to_a_socket(publisher, running, receiver) -> None:
    with running(OscBridge(*receiver.getsockname())):
        publisher.publish(STATS)
        publisher.publish(LATE)
        datagram = receiver.recv(65536)
    library = [content.address for content in osc_bundle.OscBundle(datagram)]
    assert library == list(parsed(datagram)) == [address for address, _ in values(LATE)]


def test_what_the_system_does_not_take_is_counted_and_said_once(caplog) -> None:
    bridge = OscBridge("127.0.0.1", 9)
    long = numbered(0, PREDICTION, labels=[f"{n:060}" for n in range(2000)], probs=[0.0] * 2000)
    with caplog.at_level(logging.WARNING):
        bridge.send(long)
        bridge.send(long)
    bridge.close()
    assert bridge.dropped == {"not_sent": 2}
    assert caplog.text.count("cannot send to ('127.0.0.1', 9)") == 1


def test_a_host_that_there_is_not_is_named() -> None:
    with pytest.raises(PublishError, match=r"no such host: no\.such\.invalid"):
        OscBridge("no.such.invalid", 9000)
