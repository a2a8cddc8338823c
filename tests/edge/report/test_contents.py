"""Runs and segments of a section."""

from dataclasses import replace

from msgspec import structs

from tests.edge.report.made_report import rows, section


def test_runs_of_a_field_follow_each_other() -> None:
    changed = [structs.replace(row, audio="no_speech" if 1 < row.end_s < 2.5 else "ok") for row in rows()]
    found = list(replace(section(), rows=changed).runs("audio"))
    assert found == [(0.0, 1.0, "ok"), (1.0, 2.0, "no_speech"), (2.0, 3.0, "ok")]


def test_a_section_knows_its_labels_and_times() -> None:
    assert (section().labels, section().begin_s, section().end_s) == (["calm", "glad"], 0.0, 3.0)
    assert section().steady() == [(0, 1500, "calm"), (1500, 2500, "glad"), (2500, 3000, "calm")]
