"""The LSL bridge, heard by real inlets, and recorded as XDF where a recorder is there.

liblsl listens on every interface whatever its configuration says; these tests run in a network of their own where they
may make one, which has the loopback alone.
"""

import ctypes
import fcntl
import math
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

try:
    import pylsl
except (ImportError, RuntimeError):  # RuntimeError without liblsl, which not every wheel has
    pytest.skip("pip install 'foal-edge[lsl]'", allow_module_level=True)

from edge.bridges.lsl import MEASURE_EVERY_NS, LslBridge, LslClock
from edge.bridges.lsl_channels import PERSON, VOICES, channels, person_sample, sample
from edge.errors import FoalError, SourceError
from edge.wire.clock_offset import ClockOffset
from edge.wire.evidence import AudioEvidence, VoiceOf
from edge.wire.messages import Node, Prediction
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS, WAIT_S, numbered
from tests.edge.made_messages import PERSON as PERSON_PREDICTION

CLONE_NEWNET, SIOCSIFFLAGS, UP, MULTICAST = 0x40000000, 0x8914, 0x1, 0x1000
HERE = """
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[ports]
IPv6 = disable
[log]
level = -3
"""
S = 10**9
START_NS = 5000 * S
STREAM = "cam 1 é"


def same(_session: str) -> ClockOffset:
    """The clocks of this machine."""
    return ClockOffset(0, 0, 0)


def made(seq: int, end_ns: int, **fields: Any) -> Prediction:
    return numbered(seq, PREDICTION, stream=STREAM, mono_end=end_ns, t_end=end_ns + 2**60, **fields)


@pytest.fixture(scope="module", autouse=True)
def own_network() -> Iterator[None]:
    """A network with the loopback alone, for this thread and those that it starts."""
    pylsl.set_config_content(HERE)
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    is_own = libc.unshare(CLONE_NEWNET) == 0
    if is_own:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP | MULTICAST))
    yield
    if is_own:
        libc.setns(before, CLONE_NEWNET)
    os.close(before)


@pytest.fixture
def bridge() -> Iterator[LslBridge]:
    bridge = LslBridge(LslClock(same))
    yield bridge
    bridge.close()


def inlet(name: str) -> Any:
    found = pylsl.resolve_byprop("name", name, timeout=WAIT_S)
    assert len(found) == 1
    opened = pylsl.StreamInlet(found[0])
    opened.open_stream(timeout=WAIT_S)
    return opened


def pulled(opened: Any, count: int) -> tuple[list[Any], list[float]]:
    samples = [opened.pull_sample(timeout=WAIT_S) for _ in range(count)]
    return [values for values, _ in samples], [stamp for _, stamp in samples]


def test_an_inlet_gets_values_names_units_and_capture_times(bridge) -> None:
    bridge.send(made(0, START_NS))
    opened = inlet(f"foal-edge {STREAM}")
    ends = [START_NS + n * S // 2 + n for n in range(1, 4)] + [START_NS + 100 * S]  # with a pause
    for seq, end_ns in enumerate(ends, start=1):
        bridge.send(made(seq, end_ns, audio=AudioEvidence("ok", -30.5, 0.25)))
    values, stamps = pulled(opened, 4)
    correction = opened.time_correction(timeout=WAIT_S)
    info = opened.info()
    opened.close_stream()
    labels = ["calm", "glad", "confidence", "agreement", "speech", "rms", "faces", "latency", "unix_time", "seq"]
    assert info.get_channel_labels() == labels
    assert info.get_channel_units()[:6] == ["probability"] * 3 + ["cosine", "share", "dBFS"]
    assert info.desc().child_value("bundle") == "tiny 0.0.1"
    assert (info.type(), info.nominal_srate(), info.channel_format()) == ("Emotion", 0, pylsl.cf_double64)
    row = dict(zip(labels, values[1], strict=True))
    assert row.pop("agreement") != row.get("agreement"), "null is NaN"
    assert row == {
        **{"calm": 0.25, "glad": 0.75, "confidence": 0.75, "speech": 0.25, "rms": -30.5},
        **{"faces": 1, "latency": 4, "unix_time": (ends[1] + 2**60) / 1e9, "seq": 2},
    }
    assert stamps == [end_ns / 1e9 for end_ns in ends]
    assert abs(correction) < 1, "the clocks of both ends are the same"


def test_people_share_an_outlet_whose_samples_say_whose_they_are(bridge) -> None:
    first = numbered(0, PERSON_PREDICTION, stream=STREAM, mono_end=START_NS)
    bridge.send(first)
    opened = inlet(f"foal-edge {STREAM} people")
    other = numbered(9, first, person=11, audio=AudioEvidence("no_speech", -30.5, 0.75, "other"))
    bridge.send(other)
    bridge.send(numbered(1, first, mono_end=START_NS + S))
    values, stamps = pulled(opened, 2)
    labels = opened.info().get_channel_labels()
    opened.close_stream()
    assert labels[:4] == ["person", "voice", "calm", "glad"]
    assert [row[:3] + row[-1:] for row in values] == [[11.0, 0.0, 0.625, 9.0], [2.0, 1.0, 0.625, 1.0]]
    assert stamps == [START_NS / 1e9, START_NS / 1e9 + 1]


def test_markers_are_the_steady_label_at_its_time_even_before_a_prediction(bridge) -> None:
    steady = numbered(1, EVENT, stream="cam2", mono_since=START_NS + 7, label="glücklich")
    bridge.send(steady)
    opened = inlet("foal-edge cam2 label")
    bridge.send(numbered(2, steady, mono_since=START_NS + 8 * S))
    values, stamps = pulled(opened, 1)
    assert opened.info().type() == "Markers"
    opened.close_stream()
    assert (values, stamps) == ([["glücklich"]], [START_NS / 1e9 + 8])


def test_other_messages_make_no_outlet(bridge, caplog) -> None:
    caplog.set_level("INFO")
    bridge.send(STATS)
    bridge.send(STATUS)
    bridge.close()
    assert caplog.text == ""


def test_what_nobody_hears_is_counted_and_said(bridge, caplog) -> None:
    caplog.set_level("INFO")
    bridge.send(made(0, START_NS))
    bridge.send(made(1, START_NS + S))
    bridge.close()
    assert "2 samples were pushed while no LSL inlet listened" in caplog.text


def test_a_bundle_with_other_labels_is_another_outlet(bridge) -> None:
    bridge.send(made(0, START_NS))
    bridge.send(made(1, START_NS, labels=["a", "b", "c"], probs=[0.0, 0.0, 1.0], bundle="three 1"))
    opened = inlet(f"foal-edge {STREAM}")
    assert opened.info().get_channel_labels()[:3] == ["a", "b", "c"]


def test_a_time_of_0_is_not_now() -> None:
    assert LslClock(same).stamp_s(0, "ab") == 1e-9
    assert LslClock(same).stamp_s(1_500_000_000, "ab") == 1.5


def test_the_clock_of_another_machine_is_measured_at_each_session_and_now_and_then() -> None:
    offsets = [ClockOffset(S, 0, 1), ClockOffset(2 * S, 0, 1), ClockOffset(3 * S, 0, 1)]
    clock = LslClock(lambda _session: offsets.pop(0))
    assert clock.stamp_s(10 * S, "a") == 9
    assert clock.stamp_s(MEASURE_EVERY_NS, "a") == MEASURE_EVERY_NS / 1e9 - 1
    assert clock.stamp_s(MEASURE_EVERY_NS + 10 * S, "a") == MEASURE_EVERY_NS / 1e9 + 8
    assert clock.stamp_s(MEASURE_EVERY_NS + 10 * S, "b") == MEASURE_EVERY_NS / 1e9 + 7


def test_two_proxies_in_turn_are_measured_once_each() -> None:
    measured: list[str] = []

    def measure(session: str) -> ClockOffset:
        measured.append(session)
        return ClockOffset({"p": 1, "q": 2}[session] * S, 0, 1)

    clock = LslClock(measure)
    assert [clock.stamp_s(10 * S, session) for session in "pqpqp"] == [9, 8, 9, 8, 9]
    assert measured == ["p", "q"]


def test_a_clock_that_was_measured_once_is_kept_where_it_cannot_be_again(caplog) -> None:
    offsets = [ClockOffset(S, 0, 1)]

    def measure(_session: str) -> ClockOffset:
        if not offsets:
            raise SourceError("no answer")
        return offsets.pop()

    clock = LslClock(measure)
    assert clock.stamp_s(10 * S, "a") == 9
    assert clock.stamp_s(2 * MEASURE_EVERY_NS, "a") == 2 * MEASURE_EVERY_NS / 1e9 - 1
    assert "the clock is not measured again: no answer" in caplog.text
    with pytest.raises(FoalError, match="no answer"):
        clock.stamp_s(S, "another session, and perhaps another machine")


def test_a_time_of_a_node_behind_a_proxy_is_one_of_this_machine() -> None:
    measured: list[str] = []

    def measure(session: str) -> ClockOffset:
        measured.append(session)
        return ClockOffset(S, 0, 1)

    bridge = LslBridge(LslClock(measure))
    nodes = [Node(name, "p", ahead_s * S, 0, 1) for name, ahead_s in (("a", 100), ("b", 7), ("a", 101))]
    bridge.send(made(0, START_NS, session="a", node=nodes[0]))
    opened = inlet(f"foal-edge {STREAM}")
    for seq, node in enumerate(nodes[1:], start=1):
        bridge.send(made(seq, START_NS, session=node.name, node=node))
    _, stamps = pulled(opened, 2)
    opened.close_stream()
    assert stamps == [START_NS / 1e9 - 8, START_NS / 1e9 - 102]
    assert measured == ["p"], "it is one machine's clock, whatever node has published"
    bridge.send(made(3, START_NS, node=Node("a", "p", None, None, None)))
    assert bridge.dropped == {"clock_unknown": 1}
    bridge.close()


def test_every_channel_has_a_value() -> None:
    assert len(person_sample(PERSON_PREDICTION)) == len(PERSON) + len(channels(PERSON_PREDICTION.labels))
    assert set(VOICES) == set(get_args(VoiceOf))
    assert len(channels(PREDICTION.labels)) == len(sample(PREDICTION))
    assert [math.isnan(value) for value in sample(PREDICTION)].count(True) == 3


def test_xdf_keeps_times_and_values_over_a_pause(bridge, tmp_path: Path, eventually) -> None:
    labrecorder = pytest.importorskip("labrecorder", reason="pip install labrecorder==1.0.0rc0 records XDF")
    pyxdf = pytest.importorskip("pyxdf", reason="pip install pyxdf reads XDF")
    bridge.send(made(0, START_NS))
    found = pylsl.resolve_byprop("name", f"foal-edge {STREAM}", timeout=WAIT_S)
    recording = labrecorder.Recording(str(tmp_path / "made.xdf"), found)
    outlet = bridge._predictions[f"foal-edge {STREAM}"][2]
    eventually(outlet.have_consumers, "the recorder listens")
    start_ns = int(pylsl.local_clock() * 1e9)
    ends = [start_ns + n * S // 2 for n in range(20)] + [start_ns + 70 * S + n * S // 2 for n in range(10)]
    for seq, end_ns in enumerate(ends, start=1):
        bridge.send(made(seq, end_ns))
    last = struct.pack("<2d", (ends[-1] + 2**60) / 1e9, 30)

    def is_last_in_file() -> bool:
        # The recorder's file is buffered in blocks of kilobytes: what follows the last sample pushes it to the disk.
        ends.append(ends[-1] + S // 2)
        bridge.send(made(len(ends), ends[-1]))
        return last in (tmp_path / "made.xdf").read_bytes()

    eventually(is_last_in_file, "the last sample is in the file")
    recording.stop()
    del recording  # which closes the file
    (stream,), _ = pyxdf.load_xdf(str(tmp_path / "made.xdf"), synchronize_clocks=False)
    (synchronized,), _ = pyxdf.load_xdf(str(tmp_path / "made.xdf"))
    kept = stream["time_series"][:, -1].astype(int).tolist()
    assert kept == list(range(kept[0], kept[0] + len(kept)))
    assert kept[0] <= 1
    assert kept[-1] >= 30
    first = kept.index(1)
    recorded_s = np.array(ends[: kept[-1]]) / 1e9
    assert stream["time_stamps"][first:].tolist() == recorded_s.tolist()
    moved_s = synchronized["time_stamps"][first:] - recorded_s
    assert np.abs(moved_s).max() < 1, "a pause of a minute moves no time but by what the measured clocks differ"
    described = stream["info"]["desc"][0]["channels"][0]["channel"]
    assert [channel["label"][0] for channel in described][:3] == ["calm", "glad", "confidence"]
