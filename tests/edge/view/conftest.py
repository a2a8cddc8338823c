"""Pages for the tests: the program itself in a process of its own, and a headless Chromium that looks at it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.edge.made_messages import WAIT_S

ROOT = Path(__file__).parents[3]
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def start_python(*arguments: str, folder: Path = ROOT, **pipes: int) -> "subprocess.Popen[str]":
    """Python with the project's modules, in a process of its own that does not look like one of pytest."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-W", "error::ResourceWarning", *arguments]
    return subprocess.Popen(command, text=True, env=environment, cwd=folder, **pipes)


class Forked:
    """A view forked off one that has imported the program; it has what the tests use of a `subprocess.Popen`."""

    def __init__(self, parent: "subprocess.Popen[str]", folder: Path, arguments: tuple[str, ...]) -> None:
        self._parent, self._said = parent, folder.with_suffix(".said")
        self.returncode: int | None = None
        self.pid = self._ask("start", str(folder), str(self._said), *arguments)

    def _ask(self, *request: Any) -> int:
        assert self._parent.stdin
        assert self._parent.stdout
        print(json.dumps(request), file=self._parent.stdin, flush=True)
        return int(self._parent.stdout.readline())

    def first_line(self) -> str:
        deadline = time.monotonic() + WAIT_S
        while not self._said.exists() or not (said := self._said.read_text()).endswith("\n"):
            assert time.monotonic() < deadline, "the view says nothing"
            time.sleep(0.01)
        return said

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """What it said after the first line; the parent waits no longer for it than `WAIT_S`."""
        self.returncode = self._ask("wait", self.pid)
        return "", self._said.read_text().partition("\n")[2]


class View:
    """`foal-edge view` in a process of its own, in an empty folder."""

    def __init__(self, process: Any, line: str) -> None:
        found = re.fullmatch(r"view at (http://127\.0\.0\.1:(\d+)/)\n", line)
        assert found, line
        self.process, self.address, self.port = process, found[1], int(found[2])

    def end(self) -> tuple[int, str]:
        """Ask it to end: its exit status, and what it printed."""
        self.process.terminate()
        said = self.process.communicate(timeout=WAIT_S)[1]
        return self.process.returncode, said


@contextmanager
def ending_views(tmp_path: Path, make: Callable[[Path, tuple[str, ...]], View]) -> Iterator[Callable[..., View]]:
    """Start views with options, each in a folder of its own; all of it ends with the test, without a word."""
    views: list[View] = []

    def start(*arguments: str) -> View:
        folder = tmp_path / f"view{len(views)}"
        folder.mkdir()
        views.append(make(folder, arguments))
        return views[-1]

    yield start
    for each in views:
        if each.process.returncode is None:
            assert each.end() == (0, "")
        assert list(tmp_path.glob("view*/*")) == []


@pytest.fixture
def view(tmp_path: Path) -> Iterator[Callable[..., View]]:
    """Start the program with options."""
    pytest.importorskip("nicegui", reason="the page needs foal-edge[view]")

    def make(folder: Path, arguments: tuple[str, ...]) -> View:
        process = start_python("-m", "edge", "view", *arguments, folder=folder, stderr=subprocess.PIPE)
        assert process.stderr
        line = process.stderr.readline()
        return View(process, line if line.endswith("/\n") else line + process.stderr.read())

    with ending_views(tmp_path, make) as start:
        yield start


@pytest.fixture(scope="module")
def imported_view() -> Iterator["subprocess.Popen[str]"]:
    """A process that has imported the program, and forks views."""
    pytest.importorskip("nicegui", reason="the page needs foal-edge[view]")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with start_python("-m", "tests.edge.view.forked_view", **pipes) as parent:
        try:
            yield parent
            assert parent.stdin
            parent.stdin.close()
            assert parent.wait(WAIT_S) == 0
        finally:
            parent.kill()


@pytest.fixture
def forked_view(imported_view: "subprocess.Popen[str]", tmp_path: Path) -> Iterator[Callable[..., View]]:
    """The same, forked, which takes a fifth of the time; how the program starts is for the tests of `view` to show."""

    def make(folder: Path, arguments: tuple[str, ...]) -> View:
        process = Forked(imported_view, folder, arguments)
        return View(process, process.first_line())

    with ending_views(tmp_path, make) as start:
        yield start


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[[], Any]]:
    """Open a headless Chromium, as many as are called for."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is driven by selenium")
    driver, browser = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or browser is None:
        pytest.skip("there is no Chromium with its chromedriver here (Debian: chromium-driver)")
    opened: list[Any] = []

    def start() -> Any:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in ARGUMENTS:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        opened.append(webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)))
        return opened[-1]

    yield start
    for each in opened:
        with suppress(Exception):  # one that has crashed has failed its test already
            each.quit()


@pytest.fixture(scope="module")
def browser(chromium: Callable[[], Any]) -> Any:
    """One browser for all tests of a module."""
    return chromium()


@contextmanager
def width(browser: Any, pixels: int, scheme: str) -> Iterator[None]:
    """Show the page at a width, light or dark as the system says."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
