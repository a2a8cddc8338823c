"""A microphone whose sound server is killed and started again.

FOAL_MICROPHONE=1 says that there is a microphone, FOAL_MICROPHONE_START is a command that starts its sound server and
leaves the server's process id in `pid` in its own folder.
"""

import os
import signal
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.bundle.manifest import AudioSpec
from edge.clock import SystemClock
from edge.errors import SourceError
from edge.preprocess.media import Block
from edge.sources.capture import Capture
from edge.sources.microphone import Microphone

START = os.environ.get("FOAL_MICROPHONE_START")
SOUND = AudioSpec(16000, 6.0)
MS = 1_000_000
SECOND_NS = 1_000_000_000
PATIENCE_S = 20.0

pytestmark = pytest.mark.skipif(
    os.environ.get("FOAL_MICROPHONE") != "1" or not START,
    reason="needs FOAL_MICROPHONE=1, and in FOAL_MICROPHONE_START a sound server that may be killed and started again",
)


class Heard:
    """What a capture of the default microphone has delivered, and when."""

    def __init__(self) -> None:
        self.clock, self.stop = SystemClock(), threading.Event()
        self.blocks: list[tuple[int, Block]] = []
        self.arrived = threading.Condition()
        self.ended: list[BaseException | None] = []
        source = Microphone("default", SOUND, self.clock, Counter())
        self.capture = Capture(source, self._put, self.ended.append, self.stop, is_open=False, reopen=True)

    def _put(self, block: Block) -> bool:
        with self.arrived:
            self.blocks.append((self.clock.now_ns(), block))
            self.arrived.notify_all()
        return True

    def wait_for(self, count: int) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.blocks) >= count, PATIENCE_S), f"{len(self.blocks)} blocks"


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    heard.capture.start()
    heard.wait_for(100)
    yield heard
    heard.stop.set()
    heard.capture.finish()
    assert heard.ended == [None]


def server() -> int:
    """The process of this moment."""
    return int(Path(str(START)).with_name("pid").read_text())


def start_server() -> None:
    subprocess.run(str(START), shell=True, check=True, stdin=subprocess.DEVNULL)


def test_closing_does_not_wait_for_a_server_that_hangs(caplog) -> None:
    """It is stopped: the driver waits for its answer for ever."""
    clock = SystemClock()
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    media = microphone.read()
    assert len([next(media) for _ in range(50)]) == 50
    pid = server()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(SourceError, match="gives no more audio"):
            deque(media, maxlen=0)
        begin_ns = clock.now_ns()
        microphone.close()
        assert clock.now_ns() - begin_ns < 3 * SECOND_NS
    finally:
        os.kill(pid, signal.SIGCONT)
    for thread in threading.enumerate():
        if thread.name == "close microphone default":
            thread.join(PATIENCE_S)
    microphone.open()
    media = microphone.read()
    assert next(media).end_ns > begin_ns
    microphone.close()


def test_it_is_lost_with_its_server_and_comes_back_with_it(heard, caplog, record_property) -> None:
    killed_ns = heard.clock.now_ns()
    os.kill(server(), signal.SIGKILL)
    lost = threading.Event()
    while "gives no more audio" not in caplog.text and heard.clock.now_ns() < killed_ns + 5 * SECOND_NS:
        lost.wait(0.01)
    lost_ns = heard.clock.now_ns()
    count = len(heard.blocks)
    started_ns = heard.clock.now_ns()
    start_server()
    heard.wait_for(count + 100)
    back_ns = heard.blocks[count][0]
    before, after = heard.blocks[:count], heard.blocks[count:]
    record_property(
        "measured",
        f"server killed: lost after {(lost_ns - killed_ns) / MS:.0f} ms; started again: the first block came "
        f"{(back_ns - started_ns) / MS:.0f} ms after, captured {(back_ns - after[0][1].end_ns) / MS:.0f} ms before",
    )
    assert 400 * MS < lost_ns - killed_ns < 1500 * MS
    assert max(block.end_ns for _, block in before) <= killed_ns + 100 * MS
    assert min(block.end_ns for _, block in after) > started_ns
    assert "microphone default is there" in caplog.text
