"""Live table of a run on a terminal: a row a stream that stays in its place, and the last events below it.

Where several people are followed, a row for each who is there stands below that of their stream, which is about the
main one: #2 is person 2.
"""

import logging
import time
from collections import defaultdict, deque
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..errors import FoalError
from ..wire.evidence import VoiceOf
from ..wire.messages import BasePrediction, Message, PersonPrediction, Prediction, Status
from ..wire.present_people import PresentPeople
from .journal import AUDIO_WORDS, VIDEO_WORDS, Journal
from .times import Times

REFRESH_S = 0.25
"""Least time between two drawings."""
EVENTS = 6
"""Number of events that stay below the table."""
BAR_COLUMNS = 16
HEADINGS = {
    "at": "at",
    "stream": "stream",
    "label": "seems",
    "bar": "",
    "confidence": "",
    "audio": "audio",
    "video": "video",
    "agreement": "agreement",
    "latency": "latency",
}
"""Columns with their headings, in order."""
REDUCED = ("stream", "audio", "video")
"""Columns that may be narrower than what stands in them: a name is cut, words stand below each other."""
LEFT_OUT = ("bar", "agreement", "latency", "at", "video", "audio")
"""Columns that a narrow terminal has no room for, in the order in which they are left out."""
NAME_COLUMNS = 10
"""Width down to which names are cut before another column is left out."""
UNBOUNDED = 10_000
"""Number of columns in which everything has room."""

VOICE_WORDS: dict[VoiceOf, str] = {
    "person": "speaks",
    "other": "another speaks",
    "nobody": "nobody speaks",
    "unclear": "unclear who speaks",
}

Row = dict[str, str | Text | ProgressBar]
"""Cells of a row by their column."""

log = logging.getLogger(__name__)


class LiveTable:
    """Table that each message brings up to date. For use by one thread."""

    def __init__(self, journal: Journal, times: Times, console: Console, *, shows_latency: bool) -> None:
        self._journal, self._times, self._shows_latency = journal, times, shows_latency
        self._predictions: dict[str, Prediction] = {}
        self._statuses: dict[str, Status] = {}
        self._people: defaultdict[str, PresentPeople] = defaultdict(PresentPeople)
        self._events = deque[str](maxlen=EVENTS)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._drawn_s = 0.0

    def __enter__(self) -> "LiveTable":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._draw()
            self._live.stop()
        except (OSError, FoalError) as gone:
            log.debug("the terminal has gone before its last picture (%r)", gone)

    def __call__(self, message: Message) -> None:
        """Take a message, and draw the table where enough time has passed since it was drawn last."""
        self._events.extend(self._journal.news(message))
        if isinstance(message, BasePrediction | Status):
            self._people[message.stream].add(message)
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
        rows: list[Row] = []
        for name in sorted(self._predictions.keys() | self._statuses.keys() | self._people.keys()):
            rows.append(self._row(name, self._predictions.get(name), self._statuses.get(name)))
            rows += [self._person_row(person, self._predictions.get(name)) for person in self._people[name].all()]
        shown = [column for column in HEADINGS if self._shows_latency or column != "latency"]
        for column in LEFT_OUT:
            if self._has_room(self._table_of(rows, shown, NAME_COLUMNS)):
                break
            shown = [each for each in shown if each != column]
        return self._table_of(rows, shown)

    def _table_of(self, rows: list[Row], shown: list[str], name_columns: int | None = None) -> Table:
        """Return a table of some columns, in which names have so much room at most."""
        table = Table(box=None, pad_edge=False)
        for column in shown:
            most = name_columns if column == "stream" else None
            table.add_column(HEADINGS[column], no_wrap=column not in REDUCED, max_width=most)
        for row in rows:
            table.add_row(*(row.get(column, "") for column in shown))
        return table

    def _has_room(self, table: Table) -> bool:
        console = self._live.console
        return Measurement.get(console, console.options.update_width(UNBOUNDED), table).minimum <= console.width

    def _row(self, name: str, prediction: Prediction | None, status: Status | None) -> Row:
        title = self._live.console.render_str(name, overflow="ellipsis")
        title.no_wrap = True
        row: Row = {
            "stream": title,
            "label": "-",
            "audio": hearing(prediction, status),
            "video": sight(prediction, status),
        }
        if prediction is None:
            return row
        return row | self._predicted(prediction)

    def _person_row(self, prediction: PersonPrediction, main: Prediction | None) -> Row:
        is_main = main is not None and main.person == prediction.person
        return {
            "stream": Text(f"  #{prediction.person}{' main' if is_main else ''}", no_wrap=True, overflow="ellipsis"),
            "audio": VOICE_WORDS.get(prediction.audio.voice_of or "unclear", ""),
            "video": "face hidden" if prediction.video.box is None else "face",
            **self._predicted(prediction),
        }

    def _predicted(self, prediction: Prediction | PersonPrediction) -> Row:
        return {
            "at": self._times.of(prediction),
            "label": prediction.label,
            "bar": ProgressBar(total=1.0, completed=prediction.confidence, width=BAR_COLUMNS),
            "confidence": f"{prediction.confidence:.0%}",
            "agreement": "-" if prediction.agreement is None else f"{prediction.agreement:+.2f}",
            "latency": f"{prediction.latency_ms.total:.0f} ms",
        }


def hearing(prediction: Prediction | None, status: Status | None) -> str:
    """Return what is heard, in words, or that the stream has stopped; nothing before it has begun."""
    if status is not None and status.state == "stopped":
        return "stopped"
    if prediction is None:
        return status.audio if status else ""
    state = status.audio if status else prediction.audio.state
    share = f"voice {prediction.audio.speech:.0%}" if prediction.audio.speech is not None else "no sound yet"
    words = AUDIO_WORDS.get(state)
    if state == "clipping":
        return f"{share}, {words}"
    return "off" if state == "off" else words or share


def sight(prediction: Prediction | None, status: Status | None) -> str:
    """Return what is seen, in words; nothing once the stream has stopped, and before it has begun."""
    if status is not None and status.state == "stopped":
        return ""
    if prediction is None:
        return status.video if status else ""
    state, faces = status.video if status else prediction.video.state, prediction.video.faces
    found = "picture" if faces is None else "1 face" if faces == 1 else f"{faces} faces"
    return "off" if state == "off" else VIDEO_WORDS.get(state) or found
