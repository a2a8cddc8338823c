"""Live table of a run on a terminal: a row a stream that stays in its place, and the last events below it."""

import time
from collections import deque
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from ..wire.messages import Message, Prediction, Status
from .journal import AUDIO_WORDS, VIDEO_WORDS, Journal
from .times import Times

REFRESH_S = 0.25
"""Least time between two drawings."""
EVENTS = 6
"""Number of events that stay below the table."""
BAR_COLUMNS = 16


class LiveTable:
    """Table that each message brings up to date. For use by one thread."""

    def __init__(self, journal: Journal, times: Times, console: Console, *, shows_latency: bool) -> None:
        self._journal, self._times, self._shows_latency = journal, times, shows_latency
        self._predictions: dict[str, Prediction] = {}
        self._statuses: dict[str, Status] = {}
        self._events = deque[str](maxlen=EVENTS)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._drawn_s = 0.0

    def __enter__(self) -> "LiveTable":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw()
        self._live.stop()

    def __call__(self, message: Message) -> None:
        """Take a message, and draw the table where enough time has passed since it was drawn last."""
        self._events.extend(self._journal.news(message))
        if isinstance(message, Prediction):
            self._predictions[message.stream] = message
        elif isinstance(message, Status):
            self._statuses[message.stream] = message
        if time.monotonic() - self._drawn_s >= REFRESH_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn_s = time.monotonic()
        self._live.update(Group(self._table(), *self._events), refresh=True)

    def _table(self) -> Table:
        headings = ["at", "stream", "seems", "", "", "audio", "video", "agreement"]
        table = Table(*headings, *(["latency"] if self._shows_latency else []), box=None, pad_edge=False)
        for name in sorted(self._predictions.keys() | self._statuses.keys()):
            table.add_row(*self._row(name, self._predictions.get(name), self._statuses.get(name)))
        return table

    def _row(self, name: str, prediction: Prediction | None, status: Status | None) -> "list[str | ProgressBar]":
        if prediction is None:
            return ["", name, "-", "", "", status.audio if status else "", status.video if status else ""]
        row: list[str | ProgressBar] = [
            self._times.of(prediction),
            name,
            prediction.label,
            ProgressBar(total=1.0, completed=prediction.confidence, width=BAR_COLUMNS),
            f"{prediction.confidence:.0%}",
            hearing(prediction, status),
            sight(prediction, status),
            "-" if prediction.agreement is None else f"{prediction.agreement:+.2f}",
        ]
        return row + ([f"{prediction.latency_ms.total:.0f} ms"] if self._shows_latency else [])


def hearing(prediction: Prediction, status: Status | None) -> str:
    """Return what is heard, in words."""
    state = status.audio if status else prediction.audio.state
    share = f"voice {prediction.audio.speech:.0%}" if prediction.audio.speech is not None else "no sound yet"
    words = AUDIO_WORDS.get(state)
    if state == "clipping":
        return f"{share}, {words}"
    return "off" if state == "off" else words or share


def sight(prediction: Prediction, status: Status | None) -> str:
    """Return what is seen, in words."""
    state, faces = status.video if status else prediction.video.state, prediction.video.faces
    found = "picture" if faces is None else "1 face" if faces == 1 else f"{faces} faces"
    return "off" if state == "off" else VIDEO_WORDS.get(state) or found
