"""A report of one stream, as short as it may be."""

from dataclasses import replace

from edge.annotation.rows import Row
from edge.report.contents import Report, Run, Section
from edge.wire.evidence import Latency
from tests.edge.annotation.made_rows import steady


def rows() -> list[Row]:
    return steady("calm", "calm", "glad", "glad", "calm", "calm")


def section() -> Section:
    return Section("talk.mp4", rows())


def live() -> Section:
    """As of a recorded run."""
    latencies = [Latency(1.0, 2.0, 3.0, 10.0 + number) for number in range(6)]
    states = [Run(0.0, 2.0, "online"), Run(2.0, 3.0, "degraded")]
    return replace(section(), name="cam1", latencies=latencies, states=states, dropped={"windows_late": 2, "other": 0})


def report(*sections: Section) -> Report:
    return Report("talk.mp4", sections or (section(),), {"hop_s": "0.5"}, {"numpy": "2.0"}, ["it has no audio"])
