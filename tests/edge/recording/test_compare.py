"""The first difference is named; what measures the machine is none; what is missing has to be accounted for."""

import math
from typing import Any

import msgspec
import pytest

from edge.errors import FoalError, SourceError
from edge.recording.compare import Comparison, difference, without_measured
from edge.recording.records import End, Gap, SentMessage
from edge.wire.evidence import AudioEvidence, Latency, VideoEvidence
from edge.wire.messages import Prediction, Stats, encode, topic
from tests.edge.made_messages import PERSON
from tests.edge.recording.made_recordings import status

PREDICTION = Prediction(
    *(1, "ab", "cam1", 7, 10, 20, 30, 10, 20, 30, "glad", ["calm", "glad"], [0.25, 0.75], 0.75, None),
    AudioEvidence("ok", -20.0, 0.5),
    VideoEvidence("ok", 1, None, 5),
    Latency(1.0, 2.0, 3.0, 4.0),
    {"messages_queue": 0},
    "tiny 0.0.1",
    "numpy",
)
STATS = Stats(1, "ab", 0, 1, 1, 1.0, 0.5, 0.1, 3, {}, {"messages_queue": 2})


def sent(message: Any, wire_format: Any = "msgpack") -> SentMessage:
    return SentMessage(message.mono_publish, topic(message), encode(message, wire_format))


def changed(message: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(message, **changes)


def compare(recorded: list[Any], replayed: list[Any], tolerance: float = 0, *, is_complete: bool = True) -> Comparison:
    made = [sent(one) if hasattr(one, "mono_publish") else one for one in recorded]
    comparison = Comparison(iter(made), "msgpack", tolerance)
    for message in replayed:
        comparison.check(message)
    comparison.finish(is_complete=is_complete)
    return comparison


def test_people_are_compared_each_with_their_own_numbers() -> None:
    others = [changed(PERSON, person=1, seq=3), changed(PERSON, person=1, seq=4)]
    sent_messages = [others[0], PERSON, others[1]]
    assert compare([*sent_messages, End()], sent_messages).equal == 3
    with pytest.raises(FoalError, match=r"person 12 of stream cam1 person 2 differs: steady is 'calm', recorded"):
        compare([PERSON, End()], [changed(PERSON, steady="calm")])
    with pytest.raises(FoalError, match=r"person 3 of stream cam1 person 1 was recorded and is not replayed"):
        compare([*sent_messages, End()], sent_messages[1:])


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
def test_what_measures_the_machine_may_differ(wire_format: Any) -> None:
    quicker = changed(PREDICTION, t_publish=31, mono_publish=31, latency_ms=Latency(9.0, 9.0, 9.0, 9.0))
    comparison = Comparison(iter([sent(PREDICTION, wire_format), End()]), wire_format)
    comparison.check(quicker)
    comparison.finish(is_complete=True)
    assert (comparison.equal, comparison.unrecorded) == (1, 0)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"probs": [0.25, math.nextafter(0.75, 1)]}, r"probs\[1\] is 0\.7500000000000001, recorded is 0\.75$"),
        ({"probs": [1.0]}, r"probs is \[1\.0\], recorded is \[0\.25, 0\.75\]$"),
        ({"label": "calm"}, "label is 'calm', recorded is 'glad'$"),
        ({"agreement": 0.5}, "agreement is 0.5, recorded is None$"),
        ({"audio": AudioEvidence("silent", -20.0, 0.5)}, r"audio\.state is 'silent', recorded is 'ok'$"),
        ({"video": VideoEvidence("ok", 1, [1, 2, 3, 4], 5)}, r"video\.box is \[1, 2, 3, 4\], recorded is None$"),
        ({"t_end": 21}, "t_end is 21, recorded is 20$"),
        ({"session": "cd"}, "session is 'cd', recorded is 'ab'$"),
        ({"dropped": {"windows_late": 1}}, r"dropped has the fields \['windows_late'\], recorded are"),
    ],
)
def test_the_first_difference_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(FoalError, match=f"^prediction 7 of stream cam1 differs: {problem}") as refused:
        compare([PREDICTION], [changed(PREDICTION, **changes)])
    assert refused.value.exit_status == 1


def test_within_a_tolerance_floats_may_differ_and_nothing_else() -> None:
    near = changed(PREDICTION, probs=[0.25005, 0.74995], confidence=0.74995)
    assert compare([PREDICTION, End()], [near], 1e-4).equal == 1
    with pytest.raises(FoalError, match=r"probs\[0\] is 0\.2502"):
        compare([PREDICTION], [changed(PREDICTION, probs=[0.2502, 0.7498])], 1e-4)
    with pytest.raises(FoalError, match="t_end"):
        compare([PREDICTION], [changed(PREDICTION, t_end=21)], 100)


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
def test_of_two_labels_as_probable_as_the_tolerance_either_may_be_said(wire_format: Any) -> None:
    recorded = changed(PREDICTION, probs=[0.4996, 0.5004], confidence=0.5004)
    replayed = changed(PREDICTION, probs=[0.5001, 0.4999], confidence=0.5001, label="calm")
    comparison = Comparison(iter([sent(recorded, wire_format), End()]), wire_format, 1e-3)
    comparison.check(replayed)
    assert comparison.equal == 1
    with pytest.raises(FoalError, match="label is 'calm', recorded is 'glad'"):
        compare([changed(PREDICTION, probs=[0.498, 0.502])], [replayed], 1e-3)
    with pytest.raises(FoalError, match="label is 'calm', recorded is 'glad'"):
        compare([changed(recorded, probs=[0.5, 0.5])], [changed(replayed, probs=[0.5, 0.5])])


def test_what_has_no_probability_is_never_said_in_anothers_place() -> None:
    with pytest.raises(FoalError, match="label is 'sad', recorded is 'glad'"):
        compare([PREDICTION], [changed(PREDICTION, label="sad")], 100)
    with pytest.raises(FoalError, match="state is 'degraded', recorded is 'online'"):
        compare([status(0)], [changed(status(0), state="degraded")], 100)
    fields = msgspec.to_builtins(PREDICTION) | {"probs": ["much", None], "labels": 7}
    strange = SentMessage(0, b"emotion.cam1.", msgspec.msgpack.encode(fields))
    with pytest.raises(FoalError, match="label is 'calm', recorded is 'glad'"):
        compare([strange], [changed(PREDICTION, label="calm")], 1e-3)


@pytest.mark.parametrize(
    ("one", "other"), [(0.0, -0.0), (1, 1.0), (True, 1), (math.nan, None), ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
)
def test_what_python_may_call_equal_is_another_byte(one: Any, other: Any) -> None:
    assert difference(one, other, 0, "here") is not None
    assert difference(one, one, 0, "here") is None


def test_stats_are_left_out() -> None:
    assert compare([STATS, status(0), STATS, End()], [status(0)]).equal == 1


def test_a_recorded_message_that_is_not_replayed_is_named() -> None:
    with pytest.raises(FoalError, match="status 1 of stream cam1 was recorded and is not replayed"):
        compare([status(0), status(1), End()], [status(0)])
    with pytest.raises(FoalError, match="status 0 of stream cam1 was recorded and is not replayed"):
        compare([status(1), status(0), End()], [status(0), status(1)])
    with pytest.raises(FoalError, match="status 1 of stream cam1 was recorded and is not replayed"):
        compare([status(1), status(2)], [status(0), status(2)], is_complete=False)


def test_where_the_steps_break_off_the_replay_may_too() -> None:
    assert compare([status(0), status(1)], [status(0)], is_complete=False).equal == 1


def test_what_was_never_recorded_has_to_be_accounted_for() -> None:
    replayed = [status(number) for number in range(4)]
    with pytest.raises(FoalError, match="2 messages are replayed that were not recorded; 0 may be missing"):
        compare([status(0), status(3), End()], replayed)
    with pytest.raises(FoalError, match="2 messages are replayed that were not recorded; 1 may be missing"):
        compare([status(0), Gap(1), status(3), End()], replayed)
    assert compare([status(0), Gap(2), status(3), End()], replayed).unrecorded == 2
    assert compare([status(0), STATS, status(3), End()], replayed).unrecorded == 2
    last = changed(status(3), dropped={"messages_queue": 2})
    assert compare([status(0), last, End()], [*replayed[:3], last]).unrecorded == 2


def test_a_recording_that_breaks_off_is_compared_as_far_as_it_goes() -> None:
    comparison = compare([status(0), status(1)], [status(number) for number in range(9)])
    assert (comparison.equal, comparison.unrecorded) == (2, 7)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"{", b"\x93\x01\x02\x03"])
def test_a_body_that_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(SourceError, match="a recorded message cannot be decoded"):
        compare([SentMessage(0, b"status.cam1.", body)], [])


def test_a_message_of_another_version_differs_and_says_where() -> None:
    fields = {key: value for key, value in msgspec.to_builtins(status(0)).items() if key != "hop_s"}
    old = SentMessage(0, b"status.cam1.", msgspec.msgpack.encode(fields))
    with pytest.raises(FoalError, match="it has the fields"):
        compare([old], [status(0)])
    strange = SentMessage(
        0, b"", msgspec.msgpack.encode(fields | {"hop_s": 0.5, "dropped": {"messages_queue": "many"}})
    )
    with pytest.raises(FoalError, match=r"differs: it has the fields \['type'"):
        compare([strange], [status(0)])


def test_a_reason_that_the_recording_does_not_know_matters_where_it_counts_something() -> None:
    recorded = {"seq": 1, "dropped": {"windows_late": 2, "windows_empty": 0}}
    newer = {"seq": 1, "dropped": {"windows_late": 2, "frames_stale": 0}}
    assert without_measured(recorded) == without_measured(newer)
    newer["dropped"]["frames_stale"] = 1
    assert without_measured(recorded) != without_measured(newer)
