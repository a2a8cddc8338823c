"""What the page costs: CPU time and memory of its process, by the number of browsers; a measurement, not a test."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.wire.messages import Prediction
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, nothing, unchanged
from tests.edge.view.made_history import HOP_NS, run

SECONDS = 60


@pytest.mark.slow
@pytest.mark.parametrize("browsers", [0, 1, 4])
def test_what_the_page_costs_at_two_predictions_a_second(
    view: Callable[..., Any], chromium: Callable[[], Any], record_property: Callable[..., None], browsers: int
) -> None:
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing)
    page = view("--port", "0", "--connect", publisher.address)
    opened = [chromium() for _ in range(browsers)]
    for browser in opened:
        browser.get(page.address)
    messages = run(100_000, time.time_ns() - 1200 * HOP_NS)
    publish(publisher, messages, 1200, 0.002)
    began_s = cpu_s(page.process.pid)
    publish(publisher, messages, 2 * SECONDS, 0.5)
    share = (cpu_s(page.process.pid) - began_s) / SECONDS
    megabytes = int(Path(f"/proc/{page.process.pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024
    record_property("measured", f"page with {browsers} browsers: {share:.1%} of a core, {megabytes:.0f} MB")
    assert all(browser.find_elements("css selector", ".now table") for browser in opened)
    for browser in opened:
        browser.quit()
    publisher.close()


def publish(publisher: Publisher, messages: Any, predictions: int, every_s: float) -> None:
    for _ in range(predictions):
        for message in messages:
            publisher.publish_each(message)
            if isinstance(message, Prediction):
                break
        time.sleep(every_s)


def cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
