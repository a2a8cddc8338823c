"""Pages for the tests: the program itself in a process of its own, and a headless Chromium that looks at it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.edge.made_messages import WAIT_S

ROOT = Path(__file__).parents[3]
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


class View:
    """`foal-edge view` in a process of its own, in an empty folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        environment["PYTHONPATH"] = str(ROOT)
        command = [sys.executable, "-W", "error::ResourceWarning", "-m", "edge", "view", *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder)
        assert self.process.stderr
        line = self.process.stderr.readline()
        found = re.fullmatch(r"view at (http://127\.0\.0\.1:(\d+)/)\n", line)
        assert found, line + self.process.stderr.read()
        self.address, self.port = found[1], int(found[2])

    def end(self) -> tuple[int, str]:
        """Ask it to end: its exit status, and what it printed."""
        self.process.terminate()
        said = self.process.communicate(timeout=WAIT_S)[1]
        return self.process.returncode, said


@pytest.fixture
def view(tmp_path: Path) -> Iterator[Callable[..., View]]:
    """Start the view with options; all of it ends with the test, without a word."""
    pytest.importorskip("nicegui", reason="the page needs foal-edge[view]")
    views: list[View] = []

    def start(*arguments: str) -> View:
        folder = tmp_path / f"view{len(views)}"
        folder.mkdir()
        views.append(View(folder, *arguments))
        return views[-1]

    yield start
    for each in views:
        if each.process.returncode is None:
            assert each.end() == (0, "")
        assert list(tmp_path.glob("view*/*")) == []


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
