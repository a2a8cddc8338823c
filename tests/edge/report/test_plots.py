"""Plots of a report."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from edge.report.plots import WIDEST_PX, latency_plot, percentiles, timeline_plot, to_svg
from tests.edge.annotation.made_rows import steady
from tests.edge.report.made_report import live, section

pytest.importorskip("matplotlib", reason="the extra `report` has matplotlib")


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_time_line_names_its_labels_and_states_as_text() -> None:
    found = texts(to_svg(timeline_plot(live()), "one"))
    assert {"calm", "glad", "steady", "audio", "video", "stream", "online", "degraded", "ok"} <= set(found)


def test_the_same_report_is_the_same_file_and_plots_share_no_identifier() -> None:
    one, again, other = (to_svg(timeline_plot(section()), name) for name in ("one", "one", "two"))
    assert one == again
    clips = [
        {each.get("id") for each in ElementTree.fromstring(svg).iter() if "clipPath" in each.tag}
        for svg in (one, other)
    ]
    assert clips[0]
    assert not clips[0] & clips[1]


def test_a_long_recording_is_wider_up_to_a_bound() -> None:
    widths = [
        timeline_plot(replace(section(), rows=steady("calm", "glad", "calm", hop_s=hop_s))).get_size_inches()[0] * 150
        for hop_s in (1, 400, 1e6)
    ]
    assert widths == pytest.approx([1000, 2400, WIDEST_PX])


def test_latencies_are_drawn_by_stage_with_their_percentiles() -> None:
    assert {"encode_video", "encode_audio", "fuse", "total"} <= set(texts(to_svg(latency_plot(live()), "latency")))
    assert dict(percentiles(live(), (0, 50, 100)))["total"] == [10.0, 12.5, 15.0]
    assert list(percentiles(section(), (50,))) == []


def test_a_single_window_is_drawn() -> None:
    to_svg(timeline_plot(replace(section(), rows=steady("calm"))), "one")
