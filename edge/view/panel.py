"""Panels of the page: one for each runtime, and in it one for each stream. Each page that is open has its own."""

import msgspec
from nicegui import ui

from . import markup
from .chart import appearance, new_rows
from .csv_table import csv_table
from .history import StreamHistory
from .people_markup import people
from .picture_markup import picture
from .runtime import Runtime

DEFAULT_HOP_S = 0.5


class StreamPanel:
    """Panel of one stream: its heading, its chart, and what was seen, heard, late and dropped."""

    def __init__(self, key: str, history: StreamHistory) -> None:
        """Build the panel inside the current element; `key` names its chart among those of the page."""
        self._key, self._history, self._revision = key, history, 0
        self._labels: list[str] = []
        with ui.element("article").classes("stream") as self.element:
            with ui.element("div").classes("head"):
                self._title = ui.html(tag="div")
                with ui.element("div").classes("tools"):
                    tool("CSV", f"Export {history.name} as CSV").on("click", self._export)
                    image = msgspec.json.encode([key, f"foal-edge-{history.name}.png"]).decode()
                    tool("PNG", f"Export {history.name} as PNG").on("click", js_handler=f"() => foal.png(...{image})")
            self._chart = ui.echart({}).classes("chart")
            self._chart.props["role"] = "img"
            self._chart.props["aria-label"] = (
                f"Last minutes of {history.name}; the table beside it has the newest values"
            )
            self._now = ui.html(tag="div").classes("now")
            self._picture = ui.html(tag="div").classes("picture")
            self._evidence = ui.html(tag="div").classes("evidence")
            with ui.element("div").classes("foot"):
                self._latency, self._drops, self._changes = (ui.html(tag="div") for _ in range(3))

    def update(self, hop_s: float, *, is_absent: bool) -> None:
        """Show what is new in the history."""
        history = self._history
        self.element.classes(add="absent" if is_absent else "", remove="" if is_absent else "absent")
        self._title.set_content(markup.title(history))
        self._now.set_content(markup.now(history) + people(history))
        self._picture.set_content(picture(history))
        self._evidence.set_content(markup.evidence(history))
        self._latency.set_content(markup.latency(history.latency()))
        self._drops.set_content(markup.drops(history.dropped))
        self._changes.set_content(markup.changes(history.changes))
        if history.newest is not None and history.newest.labels != self._labels:
            self._labels, self._revision = history.newest.labels, 0
            self._run("open", self._chart.id, appearance(self._labels))
        if history.revision > self._revision:
            self._run("add", new_rows(history, self._revision, hop_s))
            self._revision = history.revision

    def _run(self, function: str, *arguments: object) -> None:
        """Call a function of `chart.js` for this chart."""
        values = ", ".join(msgspec.json.encode(value).decode() for value in (self._key, *arguments))
        ui.run_javascript(f"foal.{function}({values})")

    def _export(self) -> None:
        ui.download.content(csv_table(self._history.points), f"foal-edge-{self._history.name}.csv", "text/csv")

    def close(self) -> None:
        """Take the panel off the page."""
        self._run("close")
        self.element.delete()


class RuntimePanel:
    """Panel of one runtime and of its streams, as they come and go."""

    def __init__(self, runtime: Runtime) -> None:
        """Build the panel inside the current element."""
        self._runtime = runtime
        self._streams: dict[str, StreamPanel] = {}
        with ui.element("section").classes("runtime") as self._element:
            self._about = ui.html(tag="header")

    def update(self, now_s: float) -> None:
        """Show what is new at a time."""
        runtime = self._runtime
        self._about.set_content(markup.about_runtime(runtime, now_s))
        for name in self._streams.keys() - runtime.streams.keys():
            self._streams.pop(name).close()
        for name, history in runtime.streams.items():
            if name not in self._streams:
                with self._element:
                    self._streams[name] = StreamPanel(f"{runtime.links[0].address} {name}", history)
            hop_s = history.status.hop_s if history.status else DEFAULT_HOP_S
            self._streams[name].update(hop_s, is_absent=runtime.is_absent(name, now_s))

    def close(self) -> None:
        """Take the panel off the page."""
        for stream in self._streams.values():
            stream.close()
        self._element.delete()


def tool(text: str, label: str | None = None) -> ui.element:
    """Return a button with a text; `label` says more to those who do not see what it belongs to."""
    button = ui.element("button").classes("tool")
    button.props["type"] = "button"
    if label is not None:
        button.props["aria-label"] = label
    with button:
        ui.html(text, tag="span")
    return button
