"""Runtime in a process of its own, started like by a user: its messages, CPU time and memory."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ..errors import FoalError
from ..system.own_program import own_command, own_paths
from ..wire.subscriber import Subscriber

EXIT_TIMEOUT_S = 10.0
SCHEDULER_CLOCK = 2
"""Kind of CPU clock in the number that clock_getcpuclockid(3) makes: the scheduler's, to the nanosecond."""


class Program:
    """Process of `foal-edge ARGUMENTS` that publishes on a socket of its own and ends with the `with` statement.

    `interpreter` is the Python of another environment, whose foal-edge runs in place of this one.
    """

    def __init__(self, arguments: Sequence[str], interpreter: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._cpu_s = 0.0
        self._stderr = Path(self._folder.name) / "stderr"
        address = f"ipc://{self._folder.name}/socket"
        self.messages = Subscriber(address)
        command = [*own_command(), *arguments] if interpreter is None else [interpreter, "-m", "foal_edge", *arguments]
        environment = {**os.environ, "PYTHONPATH": own_paths() if interpreter is None else ""}
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*command, "--quiet", "--control", "off", "--bind", address],
                stderr=stderr,
                stdout=stderr,
                env=environment,
                cwd=None if interpreter is None else self._folder.name,
            )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.messages.close()
        self._folder.cleanup()

    def has_ended(self) -> bool:
        """Return whether the program has ended without an error; FoalError, with its stderr, where there was one."""
        status = self._process.poll()
        if status:
            text = self._stderr.read_text(errors="replace").strip()
            raise FoalError(f"foal-edge ended with status {status} while it was measured: {text}")
        return status is not None

    def kill(self) -> None:
        """End the program at once, as a crash does."""
        self._process.kill()
        self._process.wait()

    def cpu_s(self) -> float:
        """Return the CPU time of all threads so far, the last that was read once the program has ended."""
        with suppress(OSError):
            self._cpu_s = time.clock_gettime(~self._process.pid << 3 | SCHEDULER_CLOCK)
        return self._cpu_s

    def loop_cpu_s(self) -> float:
        """Return the CPU time of the main thread so far, in which the loop runs; 0 once the program has ended."""
        with suppress(OSError):
            place = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/schedstat")
            return int(place.read_text().split()[0]) / 1e9
        return 0.0

    def peak_mb(self) -> float | None:
        """Return the largest resident memory so far, None where it cannot be read."""
        with suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1e3
        return None
