"""The page: controls on top, the runtimes below them, brought up to date twice a second."""

import time
from importlib.resources import files

from nicegui import ui

from .markup import clock_time
from .panel import RuntimePanel, tool
from .runtime import Runtime
from .runtimes import Runtimes

TITLE = "foal-edge view"
UPDATE_S = 0.5
"""Time between two updates: the default hop."""
SPANS = {"60": "1 minute", "120": "2 minutes", "300": "5 minutes", "600": "10 minutes"}
"""Lengths of time that the charts can show, by seconds."""
DEFAULT_SPAN = "120"
THEMES = {"auto": "as the system", "light": "light", "dark": "dark"}
MOVES = {"Earlier": "foal.move(-0.5)", "Later": "foal.move(0.5)", "Newest": "foal.newest()"}


class Page:
    """One open page."""

    def __init__(self, runtimes: Runtimes) -> None:
        """Build the page inside the current client."""
        folder = files(__package__)
        ui.add_head_html(f"<style>{folder.joinpath('style.css').read_text()}</style>")
        ui.add_head_html(f"<script>{folder.joinpath('chart.js').read_text()}</script>")
        self._runtimes, self._is_paused, self._theme = runtimes, False, ui.dark_mode(None)
        with ui.element("header").classes("top"):
            ui.html(TITLE, tag="h1")
            self._summary = ui.html(tag="p").classes("dim")
            self._summary.props["role"] = "status"
            with ui.element("div").classes("tools"):
                self._build_tools()
        self._panels: dict[Runtime, RuntimePanel] = {}
        self._body = ui.element("div").classes("runtimes")
        self._sync_panels()
        ui.timer(UPDATE_S, self.update)

    def _build_tools(self) -> None:
        self._pause = tool("Pause").on("click", self.pause)
        self._pause.props["aria-pressed"] = "false"
        for text, call in MOVES.items():
            tool(text).on("click", js_handler=f"() => {call}")
        selection("Time shown", SPANS, DEFAULT_SPAN).on("change", js_handler="(e) => foal.span(+e.target.value)")
        theme = selection("Colours", THEMES, "auto")
        theme.on("change", lambda event: self._set_theme(event.args), js_handler="(e) => emit(e.target.value)")

    def _set_theme(self, name: str) -> None:
        self._theme.value = {"light": False, "dark": True}.get(name)

    def pause(self) -> None:
        """Stand still, or go on with what has come in the meantime."""
        self._is_paused = not self._is_paused
        self._pause.props["aria-pressed"] = str(self._is_paused).lower()
        if self._is_paused:
            self._summary.set_content(f"Paused at {clock_time(time.time_ns())}; the run goes on.")
        else:
            self.update()

    def update(self) -> None:
        """Show what is new, unless paused."""
        if self._is_paused:
            return
        now_s = time.monotonic()
        self._sync_panels()
        live = sum(runtime.presence(now_s) == "live" for runtime in self._panels)
        self._summary.set_content(f"{live} of {len(self._panels)} live")
        for panel in self._panels.values():
            panel.update(now_s)

    def _sync_panels(self) -> None:
        """Have a panel for each runtime, and none for those that have become one with another."""
        shown = list(self._runtimes)
        for runtime in self._panels.keys() - set(shown):
            self._panels.pop(runtime).close()
        with self._body:
            self._panels |= {runtime: RuntimePanel(runtime) for runtime in shown if runtime not in self._panels}


def selection(label: str, texts: dict[str, str], chosen: str) -> ui.element:
    """Return a drop-down list of the browser's own, with a text for each value."""
    element = ui.element("select").classes("tool")
    element.props["aria-label"] = label
    with element:
        for value, text in texts.items():
            option = ui.html(text, tag="option")
            option.props["value"] = value
            option.props["selected"] = value == chosen
    return element
