"""Reports of recorded runs."""

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.errors import SourceError
from edge.recording.metadata import RunMetadata
from edge.recording.reader import read_metadata
from edge.recording.replay import Replay
from edge.report import from_recording
from edge.report.from_recording import StreamCollector, read_recording
from edge.wire.messages import Prediction, SteadyState
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PREDICTION, STATUS, numbered
from tests.edge.recording.made_golden import BEGIN_NS, GOLDEN
from tests.edge.recording.made_recordings import about, record

S = 1_000_000_000


def messages_of(path: Path, about: RunMetadata) -> list:
    sent: list = []
    Replay(path, about, lambda _: False).messages(sent.append)
    return sent


def test_a_recorded_run_is_told_by_its_messages() -> None:
    report = read_recording(GOLDEN)
    about = read_metadata(GOLDEN)
    sent = messages_of(GOLDEN, about)
    predictions = Counter(message.stream for message in sent if isinstance(message, Prediction))
    assert {section.name: len(section.rows) for section in report.sections} == predictions
    for section in report.sections:
        own = [message for message in sent if getattr(message, "stream", "") == section.name]
        ends = [(each.mono_end - BEGIN_NS) / S for each in own if isinstance(each, Prediction)]
        assert [row.end_s for row in section.rows] == ends
        events = [((each.mono_since - BEGIN_NS) / S, each.label) for each in own if isinstance(each, SteadyState)]
        changes = [(section.rows[0].end_s, section.rows[0].steady_label)]
        for row in section.rows:
            if row.steady_label != changes[-1][1]:
                changes.append((row.end_s, row.steady_label))
        assert changes == events
    assert report.settings["bundle"] == f"{about.bundle.name} {about.bundle.version}"
    assert report.settings["hop_s"] == f"{about.run_spec.hop_ns / S:g}"


def test_times_count_from_the_begin_of_the_run_and_states_last_until_the_next() -> None:
    stream = StreamCollector("cam1", 100 * S)
    status = {"online": 100, "degraded": 102, "lost": 103}
    for state, at in status.items():
        stream.add(replace(STATUS, state=state, mono_publish=at * S))
        stream.add(replace(STATUS, state=state, mono_publish=at * S + S // 2, dropped={"windows_late": at}))
    stream.add(replace(PREDICTION, mono_start=100 * S, mono_end=101 * S))
    stream.add(EVENT)
    section = stream.section(is_live=True)
    assert section.states == [(0.0, 2.0, "online"), (2.0, 3.0, "degraded"), (3.0, 3.5, "lost")]
    assert [(row.start_s, row.end_s, row.steady_label) for row in section.rows] == [(0.0, 1.0, "uncertain")]
    assert section.latencies == [PREDICTION.latency_ms]
    assert section.dropped == {"windows_late": 103}
    assert stream.section(is_live=False).latencies == ()


def test_an_event_whose_prediction_is_missing_is_passed_over() -> None:
    stream = StreamCollector("cam1", 0)
    stream.add(EVENT)
    assert stream.collector.rows == []


def test_each_of_several_people_has_a_part_and_the_stream_is_about_the_main_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(from_recording, "MOST_PEOPLE", 2)
    often = [numbered(n, PERSON, mono_end=n * S + 5, steady="calm") for n in range(1, 4)]
    others = [numbered(n, PERSON, person=person, mono_end=n * S + 5) for person, n in ((11, 1), (11, 2), (1, 3))]
    path = record(tmp_path, [], [OF_PEOPLE["prediction"], *often, *others], about())
    report = read_recording(path)
    assert [(section.name, len(section.rows)) for section in report.sections] == [
        ("cam1", 1),
        ("cam1, person 2", 3),
        ("cam1, person 11", 2),
    ]
    assert {row.steady_label for row in report.sections[1].rows} == {"calm"}
    assert report.notes == ["stream cam1: 2 of 3 people are shown, those with the most predictions"]


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no recording at"):
        read_recording(tmp_path)
