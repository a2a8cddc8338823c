"""Contents of a report, whatever it is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from ..annotation.rows import Row
from ..annotation.segments import Segment, segments
from ..evaluation.metrics import Accuracy
from ..wire.evidence import Latency


class Run(NamedTuple):
    """Part of a time line in which something stays the same."""

    begin_s: float
    end_s: float
    name: str


@dataclass
class Section:
    """One stream: its predictions, and what else is known of it."""

    name: str
    rows: Sequence[Row]
    latencies: Sequence[Latency] = ()
    """Latencies of the rows, one each; empty for a recording that was not predicted live."""
    states: Sequence[Run] = ()
    """States of the stream, as its statuses tell; empty where there are none."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Number of items dropped by the end, by reason."""
    accuracy: Accuracy | None = None
    """Accuracy of the rows by labels of the user's; None without any."""

    @property
    def labels(self) -> list[str]:
        """Labels of the model, in the order of its probabilities."""
        return list(self.rows[0].probs)

    @property
    def begin_s(self) -> float:
        """Beginning of the first window."""
        return self.rows[0].start_s

    @property
    def end_s(self) -> float:
        """End of the last window."""
        return self.rows[-1].end_s

    def steady(self) -> list[Segment]:
        """Return the segments of the steady label."""
        return segments(self.rows)

    def runs(self, name: str) -> Iterator[Run]:
        """Yield the runs of equal values of a field of the rows."""
        begin_s = self.begin_s
        for value, group in groupby(self.rows, key=lambda row: str(getattr(row, name))):
            *_, last = group
            yield Run(begin_s, last.end_s, value)
            begin_s = last.end_s


@dataclass(frozen=True)
class Report:
    """Everything that a page shows."""

    title: str
    sections: Sequence[Section]
    settings: dict[str, str]
    versions: dict[str, str]
    notes: Sequence[str] = ()
    """Warnings, one a line."""
