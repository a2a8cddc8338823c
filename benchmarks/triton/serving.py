"""A real Triton server in a process of its own, on the CPU: that of the package nvidia-pytriton.

`FOAL_TRITON` names the Python of an environment with the packages nvidia-pytriton and onnxruntime, 3.10 to 3.12. The
server lacks a backend for ONNX graphs; `onnxruntime_backend.py` is one.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from edge.backends.triton.address import parse
from edge.backends.triton.connection import Connection
from edge.errors import EngineError, FoalError, UsageError

from ..environments import TAIL, call

VARIABLE = "FOAL_TRITON"
BACKEND = Path(__file__).with_name("onnxruntime_backend.py")
START_S = 120.0
"""Longest wait for the server's start; it loads the graphs and warms them up."""
LOOK_S = 0.2
FIND = """
import pytriton, sys, sysconfig
print(pytriton.__path__[0], sysconfig.get_config_var("LIBDIR"), "%d.%d" % sys.version_info[:2], sep="\\n")
"""
"""Program that prints where the package and the interpreter's own library are, and its version."""


class TritonServer:
    """Server of a model repository at a port of 127.0.0.1, which ends with the `with` statement."""

    def __init__(self, repository: Path, scratch: Path, *options: str) -> None:
        """Prepare a server, which `start` starts; UsageError where `FOAL_TRITON` names no interpreter."""
        python = Path(os.environ.get(VARIABLE, ""))
        if not python.is_file():
            raise UsageError(
                f"{VARIABLE}={python}: give the Python of an environment with nvidia-pytriton, onnxruntime"
            )
        package, library, version = call([python, "-c", FIND]).split()
        self._log, self._delay = scratch / "server.log", scratch / "delay"
        self._delay.touch()
        self._process: subprocess.Popen[bytes] | None = None
        server = Path(package, "tritonserver")
        backends = make_backends(server, version, scratch / "backends")
        libraries = (Path(package).parent / "nvidia_pytriton.libs", Path(library))
        self._environment = {
            **os.environ,
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(package).parent),
            "FOAL_TRITON_DELAY": str(self._delay),
        }
        self.port = free_port()
        self._command = [
            *(str(server / "bin" / "tritonserver"), "--model-repository", str(repository)),
            *("--backend-directory", str(backends), "--allow-http", "false", "--allow-metrics", "false"),
            *("--grpc-address", "127.0.0.1", "--grpc-port", str(self.port), "--exit-timeout-secs", "2", *options),
        ]

    @property
    def address(self) -> str:
        """Address that `--backend` takes."""
        return f"triton://127.0.0.1:{self.port}"

    def start(self) -> "TritonServer":
        """Start the server and wait until its models are ready; FoalError quotes its log where it ends."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
        ends_s = time.monotonic() + START_S
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > ends_s:
                self.stop()
                raise FoalError(f"the server did not start: {self._log.read_text(errors='replace')[-TAIL:]}")
            time.sleep(LOOK_S)
        return self

    def is_ready(self) -> bool:
        """Return whether the server says that all its models are ready."""
        connection = Connection(parse(self.address))
        try:
            return bool(connection.ask("is_server_ready", deadline_s=1.0))
        except EngineError:
            return False
        finally:
            connection.close()

    def set_delay(self, seconds: float) -> None:
        """Let each batch take so much longer from now on."""
        self._delay.write_text(f"{seconds:g}")

    def stop(self) -> None:
        """End the server as an operator does, or at once where it does not end."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> "TritonServer":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def make_backends(server: Path, version: str, folder: Path) -> Path:
    """Return a folder of backends: the server's own for Python, and that for ONNX graphs."""
    shutil.copytree(server / "backends" / "python", folder / "python")
    shutil.copy2(server / "python_backend_stubs" / version / "triton_python_backend_stub", folder / "python")
    (folder / "onnxruntime").mkdir()
    shutil.copyfile(BACKEND, folder / "onnxruntime" / "model.py")
    return folder


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
