"""Report of a recorded run: the messages as they were sent, stream by stream."""

import threading
import time
from itertools import groupby
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ..annotation.rows import RowCollector
from ..clock import SECOND_NS
from ..errors import SourceError
from ..recording.metadata import RunMetadata
from ..recording.reader import read_metadata
from ..recording.replay import Replay, at_once
from ..wire.evidence import Latency
from ..wire.messages import BasePrediction, Message, PersonPrediction, Stats, Status
from .contents import Report, Run, Section
from .from_table import flatten

MOST_PEOPLE = 20
"""Largest number of people of a stream who have a part of the page: those with the most predictions."""


class StreamCollector:
    """Collector of a stream's messages, or of one of its people's, whose times then count from the begin of the run."""

    def __init__(self, name: str, begin_ns: int) -> None:
        self.name = name
        self.collector = RowCollector(None)
        self._begin_ns = begin_ns
        self._latencies: list[Latency] = []
        self._statuses: list[tuple[float, str]] = []
        self._dropped: dict[str, int] = {}

    def add(self, message: Message) -> None:
        """Take a message of the stream or person."""
        if isinstance(message, BasePrediction):
            start_ns, end_ns = message.mono_start - self._begin_ns, message.mono_end - self._begin_ns
            message = replace(message, mono_start=start_ns, mono_end=end_ns)
            self._latencies.append(message.latency_ms)
        elif isinstance(message, Status):
            self._statuses.append(((message.mono_publish - self._begin_ns) / SECOND_NS, message.state))
            self._dropped = message.dropped
        self.collector.add(message)

    def section(self, *, is_live: bool) -> Section:
        """Return what came of the stream; latencies of a run as quickly as possible mean nothing."""
        runs: list[Run] = []
        for state, group in groupby(self._statuses, key=lambda status: status[1]):
            begin_s = next(group)[0]
            runs[-1:] = [run._replace(end_s=begin_s) for run in runs[-1:]]
            runs.append(Run(begin_s, max(begin_s, self._statuses[-1][0]), state))
        return Section(
            name=self.name,
            rows=self.collector.rows,
            latencies=self._latencies if is_live else (),
            states=[run for run in runs if run.begin_s < run.end_s],
            dropped=self._dropped,
        )


def read_recording(path: Path) -> Report:
    """Read a recording of `--record`, a folder or a file; SourceError where it is none or holds no prediction."""
    about = read_metadata(path)
    names = [spec.name for spec in about.run_spec.stream_specs]
    streams = {name: StreamCollector(name, about.run_spec.begin_ns) for name in names}
    people: dict[str, dict[int, StreamCollector]] = {name: {} for name in names}

    def take(message: Message) -> None:
        if isinstance(message, Stats) or message.stream not in streams:
            return
        if isinstance(message, PersonPrediction):
            title = f"{message.stream}, person {message.person}"
            of_stream = people[message.stream]
            of_stream.setdefault(message.person, StreamCollector(title, about.run_spec.begin_ns)).add(message)
        else:
            streams[message.stream].add(message)

    Replay(path, about, at_once(threading.Event())).messages(take)
    shown = [part for name in names for part in (streams[name], *most_seen(people[name])) if part.collector.rows]
    if not shown:
        raise SourceError(f"{path} holds no prediction; give another recording, or a table of foal-edge annotate")
    sections = [part.section(is_live=not about.fast) for part in shown]
    notes = [f"stream {name} gave no prediction" for name in names if not streams[name].collector.rows]
    notes += [
        f"stream {name}: {MOST_PEOPLE} of {len(people[name])} people are shown, those with the most predictions"
        for name in names
        if len(people[name]) > MOST_PEOPLE
    ]
    return Report(
        title=path.name,
        sections=sections,
        settings=settings_of(about),
        versions={"foal-edge": about.software, **(about.machine.versions if about.machine else {})},
        notes=notes,
    )


def most_seen(people: dict[int, StreamCollector]) -> list[StreamCollector]:
    """Return those of a stream's people who have a part of the page, by number."""
    kept = sorted(people, key=lambda person: len(people[person].collector.rows), reverse=True)[:MOST_PEOPLE]
    return [people[person] for person in sorted(kept)]


def settings_of(about: RunMetadata) -> dict[str, str]:
    """Return what a run was made with, as text by name."""
    spec = about.run_spec
    return {
        "session": spec.session,
        "started": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(about.start_unix_ns // SECOND_NS)),
        "bundle": f"{about.bundle.name} {about.bundle.version}",
        "backend": about.backend,
        "threads": str(about.threads),
        "framing": spec.framing,
        "detector": spec.detector,
        "hop_s": f"{spec.hop_ns / SECOND_NS:g}",
        "fast": str(about.fast),
        **flatten(msgspec.to_builtins(spec.events), "events."),
        **({"processor": about.machine.processor} if about.machine else {}),
    }
