"""The runtime as its user starts it, in a process of its own: its messages, CPU time and memory."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ..errors import FoalError
from ..wire.subscriber import Subscriber

ROOM = Path(__file__).parents[1]
END_S = 10.0
SCHEDULED = 2
"""Which clock of a process, as clock_getcpuclockid(3) makes its number: that of the scheduler, to the nanosecond."""


class Program:
    """`foal-edge ARGUMENTS`, publishing on a socket of its own; ends with the `with` statement."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._cpu_s = 0.0
        self._said = Path(self._folder.name) / "stderr"
        address = f"ipc://{self._folder.name}/socket"
        self.messages = Subscriber(address)
        command = [sys.executable, "-m", __package__.split(".")[0], *arguments, "--quiet", "--control", "off"]
        paths = os.pathsep.join(filter(None, (str(ROOM.parent), os.environ.get("PYTHONPATH"))))
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "--bind", address], stderr=said, stdout=said, env={**os.environ, "PYTHONPATH": paths}
            )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.messages.close()
        self._folder.cleanup()

    def has_ended(self) -> bool:
        """Whether it has, without an error; FoalError quotes what it said where there was one."""
        status = self._process.poll()
        if status:
            said = self._said.read_text(errors="replace").strip()
            raise FoalError(f"foal-edge ended with status {status} while it was measured: {said}")
        return status is not None

    def cpu_s(self) -> float:
        """CPU time so far, of all its threads, by its CPU clock; what was last read once it has ended."""
        with suppress(OSError):
            self._cpu_s = time.clock_gettime(~self._process.pid << 3 | SCHEDULED)
        return self._cpu_s

    def peak_mb(self) -> float | None:
        """Largest resident memory so far."""
        with suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1e3
        return None
