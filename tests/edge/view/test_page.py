"""The page as a person sees it, in a real browser."""

import csv
import io
import struct
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from edge.geometry import Box
from edge.live.pictures import jpeg
from edge.sources.demo import MOODS, face
from edge.wire.evidence import AudioEvidence, PersonSeen, VideoEvidence
from edge.wire.messages import Prediction
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, PERSON, PICTURE, STATUS, WAIT_S, nothing, numbered, unchanged
from tests.edge.view.conftest import width
from tests.edge.view.made_history import HOP_NS, LABELS, run

BATCH = 40
"""Messages that are published before the publisher is waited for: ZeroMQ keeps 256 for a subscriber."""


CHART_FITS = """(() => {
    const box = document.querySelector(".chart"), canvas = box && box.querySelector("canvas");
    if (!canvas) return false;  // the chart draws itself again
    return box.clientWidth > 200 && Math.abs(canvas.clientWidth - box.clientWidth) <= 1;
})()"""
SMALL_TOOLS = """[...document.querySelectorAll(".tool")].filter((e) => e.getBoundingClientRect().height < 34).length"""
CONTRAST = """(() => {
    const share = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((v) => share(v / 255));
    const luminance = (colour) => channels(colour).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (e) => {
        for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (!colour.endsWith(", 0)")) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const has_text = (e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    return Math.min(...[...document.querySelectorAll(".top *, .runtime *")].filter(has_text).map((e) => {
        const [low, high] = [luminance(getComputedStyle(e).color), luminance(ground(e))].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    }));
})()"""
COLOURS = """(() => {
    const canvas = document.querySelector(".chart canvas"), seen = new Set();
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return seen.size;
})()"""


class Stage:
    """A publisher, the page that shows it, and the browser that shows the page."""

    def __init__(self, view: Callable[..., Any], browser: Any, address: str = ANY_PORT) -> None:
        self.publisher = Publisher(address, "msgpack", unchanged, nothing)
        self.address = self.publisher.address
        self.view, self.browser = view("--port", "0", "--connect", self.address), browser
        self.messages = run(100_000, time.time_ns() - 700 * HOP_NS)
        self.predictions: list[Prediction] = []

    def publish(self, count: int) -> None:
        """Publish so many more predictions, and what comes with them."""
        for _ in range(count):
            for message in self.messages:
                self.publisher.publish_each(message)
                if isinstance(message, Prediction):
                    self.predictions.append(message)
                    break

    def open(self) -> None:
        self.browser.get(self.view.address)
        self.wait_for("document.querySelector('.runtime h2')")

    def js(self, expression: str) -> Any:
        return self.browser.execute_script(f"return {expression}")

    def text(self, selector: str = "body") -> str:
        return " ".join(str(self.js(f"document.querySelector({selector!r})?.innerText ?? ''")).split())

    def wait_for(self, expression: str) -> Any:
        deadline = time.monotonic() + WAIT_S
        while not (found := self.js(expression)):
            assert time.monotonic() < deadline, f"never {expression}; the page says {self.text()}"
            time.sleep(0.05)
        return found

    def wait_for_text(self, text: str) -> None:
        self.wait_for(f"document.body.innerText.replace(/\\s+/g, ' ').includes({text!r})")

    def feed(self, count: int) -> None:
        """Publish so many predictions and wait until the page has the last: none is lost on the way."""
        for begin in range(0, count, BATCH):
            self.publish(min(BATCH, count - begin))
            time.sleep(0.02)
        last_ms = self.predictions[-1].t_end / 1e6
        self.wait_for(f"Math.abs(foal.newestOf({self.key!r}) - {last_ms}) < 1")

    def feed_until_live(self, text: str) -> None:
        """Publish until the page shows a text of a run that is live: a busy machine may show nothing for seconds."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.text():
            assert time.monotonic() < deadline, f"never {text}; the page says {self.text()}"
            self.feed(1)

    @property
    def key(self) -> str:
        return f"{self.address} main"

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def stage(forked_view: Callable[..., Any], browser: Any) -> Iterator[Stage]:
    """A page that is open, of a run that has published nothing yet."""
    stage = Stage(forked_view, browser)
    stage.open()
    yield stage
    stage.publisher.close()
    errors = stage.errors()
    browser.get("about:blank")
    assert errors == []


def test_the_page_shows_what_is_published(stage: Stage) -> None:
    stage.wait_for_text("Nothing has come from there yet")
    stage.feed(30)
    stage.feed_until_live(f"{stage.address} ● live foal-nano 0.3.0 on onnxruntime-cpu · hop 0.5 s")
    newest = stage.predictions[-1]
    stage.wait_for_text(f"Newest prediction: {newest.label}")
    for label, p in zip(newest.labels, newest.probs, strict=True):
        assert f"{label} {p:.0%}" in stage.text(".now")
    assert "state ok" in stage.text(".evidence")
    assert "encode audio 4.8 4.8 4.8" in stage.text(".foot")
    assert stage.js(f"foal.rows({stage.key!r}).length") == len(stage.predictions)
    assert colours_of_chart(stage) > 20


def colours_of_chart(stage: Stage) -> int:
    """Number of colours in the chart's canvas: an empty one has few."""
    return int(stage.js(COLOURS))


def test_a_chart_that_the_library_has_emptied_is_drawn_again(stage: Stage) -> None:
    stage.feed(20)
    chart = "getElement(Number(document.querySelector('.chart').id.slice(1)))"
    emptied = f"({chart}.update_chart(), {chart}.chart.getOption().series?.length ?? 0)"  # before the page draws again
    assert stage.js(emptied) == 0
    stage.feed(1)
    assert stage.js(f"{chart}.chart.getOption().series.length") == 9
    assert colours_of_chart(stage) > 20


def test_nothing_is_loaded_from_outside(stage: Stage) -> None:
    stage.feed(3)
    loaded = stage.js("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) > 5
    assert [name for name in loaded if not name.startswith((stage.view.address, "data:"))] == []
    blocked = stage.browser.execute_async_script(
        "const done = arguments[0]; document.addEventListener('securitypolicyviolation', (e) => done(e.blockedURI));"
        "new Image().src = 'http://127.0.0.2:9/x.png'"
    )
    assert blocked == "http://127.0.0.2:9/x.png"
    stage.browser.get_log("browser")  # which tells of that, too


def test_the_page_fits_its_window_light_and_dark(stage: Stage) -> None:
    stage.feed(60)
    for pixels, scheme in product((375, 768, 1600), ("light", "dark")):
        with width(stage.browser, pixels, scheme):
            is_dark = str(scheme == "dark").lower()
            stage.wait_for(f"document.body.classList.contains('body--dark') === {is_dark}")
            stage.wait_for(CHART_FITS)
            assert stage.js("document.documentElement.scrollWidth") == pixels
            assert stage.js(SMALL_TOOLS) == 0
            assert contrast(stage) >= 4.5  # WCAG 2, level AA


def contrast(stage: Stage) -> float:
    """Lowest contrast of the text of the page with what it stands on."""
    return float(stage.js(CONTRAST))


def test_a_runtime_that_goes_and_comes_back_is_shown_so(stage: Stage) -> None:
    stage.feed(10)
    stage.feed_until_live("● live")
    stage.publisher.close()
    stage.wait_for_text("✕ gone")
    stage.wait_for_text("foal-edge or the way to it is gone")
    assert stage.js("document.querySelector('.stream').classList.contains('absent')")
    assert f"Newest prediction: {stage.predictions[-1].label}" in stage.text()
    stage.publisher = Publisher(stage.address, "msgpack", unchanged, nothing)
    stage.messages = run(1000, time.time_ns() + 60 * HOP_NS, session="cd")
    stage.publish(1)
    stage.wait_for_text("● live")
    stage.wait_for_text("started anew")
    assert "gone" not in stage.text()
    assert not stage.js("document.querySelector('.stream').classList.contains('absent')")
    stage.feed(5)
    rows = stage.js(f"foal.rows({stage.key!r})")
    assert [row[1] is None for row in rows].count(True) == 1  # the gap


def test_a_run_that_stops_in_order_is_said_to_have_ended(stage: Stage) -> None:
    stage.feed(5)
    stage.publisher.publish(numbered(1000, STATUS, session="ab", stream="main", state="stopped"))
    stage.wait_for_text("■ ended")


def test_the_page_comes_back_when_the_view_does(stage: Stage, forked_view: Callable[..., Any]) -> None:
    stage.feed(5)
    assert stage.view.end() == (0, "")
    stage.browser.get_log("browser")  # connections that fail, as they should
    stage.wait_for("document.getElementById('popup').getAttribute('aria-hidden') === 'false'")
    forked_view("--port", str(stage.view.port), "--connect", stage.address)
    stage.wait_for("document.getElementById('popup').getAttribute('aria-hidden') !== 'false'")
    stage.publish(1)  # as what came before may be old by now
    stage.wait_for_text("● live")
    stage.feed(3)
    stage.browser.get_log("browser")


def test_thirty_minutes_of_messages_leave_ten(stage: Stage) -> None:
    stage.feed(1300)
    nodes, memory = stage.js("document.querySelectorAll('*').length"), resident_kb(stage)
    stage.feed(2300)
    rows = stage.js(f"foal.rows({stage.key!r}).length")
    assert rows == 1201
    assert stage.js("document.querySelectorAll('*').length") <= nodes + 60  # a few more changes in the list
    assert resident_kb(stage) <= memory + 8000


def resident_kb(stage: Stage) -> int:
    status = Path(f"/proc/{stage.view.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_four_browsers_at_once_show_the_same(stage: Stage, chromium: Callable[[], Any]) -> None:
    others = [chromium() for _ in range(3)]
    for browser in others:
        browser.get(stage.view.address)
    stage.feed(50)
    has_newest = f"return Math.abs(foal.newestOf({stage.key!r}) - {stage.predictions[-1].t_end / 1e6}) < 1"
    for browser in others:
        deadline = time.monotonic() + WAIT_S
        while not browser.execute_script(has_newest):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        browser.quit()


def test_a_keyboard_reaches_everything(stage: Stage) -> None:
    from selenium.webdriver.common.keys import Keys

    stage.feed(40)
    stage.wait_for_text("audio: ok")
    reached = []
    for _ in range(9):
        stage.browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(stage.js("document.activeElement.ariaLabel ?? document.activeElement.innerText.trim()"))
    ways = ["Pause", "Earlier", "Later", "Newest", "Time shown", "Colours", "Export main as CSV", "Export main as PNG"]
    assert reached == [*ways, "Changes"]
    assert stage.js("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_pause_stands_still_and_goes_on_without_a_loss(stage: Stage) -> None:
    stage.feed(10)
    pause = stage.browser.find_element("css selector", ".tool")
    press(stage, pause)
    stage.wait_for_text("Paused at")
    assert pause.get_attribute("aria-pressed") == "true"
    before = stage.text(".runtime")
    stage.publish(20)
    time.sleep(1.5)
    assert stage.text(".runtime") == before
    press(stage, pause)
    stage.wait_for(f"foal.rows({stage.key!r}).length === 30")
    stage.wait_for_text("1 of 1 live")


def press(stage: Stage, element: Any) -> None:
    element.send_keys(" ")


def choose(stage: Stage, name: str, value: str) -> None:
    from selenium.webdriver.support.select import Select

    Select(stage.browser.find_element("css selector", f"[aria-label={name!r}]")).select_by_value(value)


def test_time_can_be_scrolled_and_followed_again(stage: Stage) -> None:
    stage.feed(1000)
    last_ms = stage.predictions[-1].t_end / 1e6
    shown = f"foal.shown({stage.key!r}).map((ms) => Math.round((ms - {last_ms}) / 1000))"
    assert stage.js(shown) == [-120, 0]
    tools = {tool.text: tool for tool in stage.browser.find_elements("css selector", ".top button")}
    press(stage, tools["Earlier"])
    assert stage.js(shown) == [-180, -60]
    stage.feed(20)  # what comes does not move what is looked at
    assert stage.js(shown) == [-180, -60]
    press(stage, tools["Later"])
    press(stage, tools["Newest"])
    choose(stage, "Time shown", "600")
    assert stage.js(shown) == [-590, 10]


def test_the_history_can_be_taken_along(stage: Stage, tmp_path: Path) -> None:
    stage.feed(25)
    stage.browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path / "downloads")}
    )
    for button in stage.browser.find_elements("css selector", ".head .tool"):
        press(stage, button)
    table = wait_for_file(tmp_path / "downloads/foal-edge-main.csv").decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [int(row["t_end"]) for row in rows] == [each.t_end for each in stage.predictions]
    assert [float(rows[-1][f"p_{label}"]) for label in LABELS] == stage.predictions[-1].probs
    image = wait_for_file(tmp_path / "downloads/foal-edge-main.png")
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = struct.unpack(">II", image[16:24])
    assert wide > 600
    assert high == 2 * stage.js("document.querySelector('.chart').clientHeight")


def wait_for_file(path: Path) -> bytes:
    deadline = time.monotonic() + WAIT_S
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.05)
    return path.read_bytes()


def test_the_camera_is_shown_only_where_its_picture_comes(stage: Stage) -> None:
    stage.feed(5)
    assert stage.js("document.querySelectorAll('img').length") == 0
    image = jpeg(face(MOODS[0]))
    stage.publisher.publish_each(numbered(0, PICTURE, stream="main", jpeg=image, width=320, height=240))
    stage.wait_for("document.querySelector('figure img')?.naturalWidth === 320")
    assert "Camera picture (--show-picture)" in stage.text("figure")
    box = stage.js("document.querySelector('figure rect').getBoundingClientRect().toJSON()")
    assert box["width"] / box["height"] == pytest.approx(PICTURE.box.width / PICTURE.box.height, rel=0.01)


def test_people_have_rows_and_boxes_with_their_numbers(stage: Stage) -> None:
    stage.feed(5)
    newest = stage.predictions[-1]
    shown = [PersonSeen(2, Box(80, 40, 60, 60), True), PersonSeen(13, Box(190, 5, 40, 40), False)]
    of_main = {"stream": "main", "labels": newest.labels, "probs": newest.probs, "confidence": 0.625}
    listens = {"audio": AudioEvidence("no_speech", -30.0, 0.7, "other"), "video": VideoEvidence("ok", 2, None, 9)}
    publish = stage.publisher.publish_each
    publish(numbered(0, PERSON, **of_main, mono_end=newest.mono_end, label="happy", steady="neutral"))
    publish(numbered(0, PERSON, **of_main, **listens, mono_end=newest.mono_end, person=13, label="uncertain"))
    publish(numbered(newest.seq + 1, newest, t_end=newest.t_end + HOP_NS, person=2))
    image = jpeg(face(MOODS[0]))
    publish(numbered(0, PICTURE, stream="main", jpeg=image, width=320, height=240, people=shown))
    stage.wait_for_text("People: 2")
    stage.wait_for_text("2 main happy steady neutral 62% ♪ speaks")
    assert "13 uncertain steady uncertain, face hidden 62% another speaks" in stage.text(".people")
    stage.wait_for("document.querySelectorAll('figure rect').length === 2")
    numbers = stage.js("[...document.querySelectorAll('figure text')].map((e) => e.textContent)")
    assert numbers == ["2 ♪", "13"]
    for pixels, scheme in product((375, 1600), ("light", "dark")):
        with width(stage.browser, pixels, scheme):
            stage.wait_for(f"document.body.classList.contains('body--dark') === {str(scheme == 'dark').lower()}")
            assert stage.js("document.documentElement.scrollWidth") == pixels
            within = "document.querySelector('.people').getBoundingClientRect()"
            assert stage.js(f"{within}.right <= document.querySelector('.stream').getBoundingClientRect().right")
            assert contrast(stage) >= 4.5  # WCAG 2, level AA


def test_what_a_stranger_publishes_is_text(stage: Stage) -> None:
    evil = "<img src=x onerror='window.evil=1'>"
    newest = next(message for message in run(1, time.time_ns()) if isinstance(message, Prediction))
    hostile = numbered(
        0, newest, labels=[evil, "`${window.evil=1}`"], probs=[0.5, 0.5], label=evil, stream="a</script>"
    )
    stage.publisher.publish(hostile)
    stage.wait_for_text(evil)
    stage.wait_for("document.querySelector('.chart canvas')")
    assert stage.js("window.evil ?? null") is None
    assert stage.js("document.querySelectorAll('img').length") == 0
