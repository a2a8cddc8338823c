"""The page beside a run: a process of its own, with the lowest priority, that ends when the run does."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ..errors import FoalError, UsageError
from ..system.files import is_there
from ..wire.addresses import reachable_address
from ..wire.keys import HAND_OUT
from .listening import listen, page_address

CLIENT = "view"
"""Name of the client whose keys the page takes where the run has keys."""
CLOSE_S = 3.0
"""Time that the process has to end by itself."""
LOWEST_PRIORITY = 19
MISSING = "the page needs NiceGUI, which is not installed; pip install 'foal-edge[view]'"


def check_installed() -> None:
    """Raise FoalError if the page's library is not installed; it is not imported, which takes a second."""
    if find_spec("nicegui") is None:
        raise FoalError(MISSING)


class ViewProcess:
    """Process that shows what is published at an address.

    It has the read end of a pipe, and ends once the write end is closed: by `close`, or by the end of this process,
    however sudden.
    """

    def __init__(self, address: str, server_keys: Path | None) -> None:
        """Start the process; `server_keys` is the folder of `--keys`.

        Raises FoalError if the page's library is not installed, UsageError if there are no keys for the page.
        """
        check_installed()
        keys = [] if server_keys is None else ["--keys", str(client_folder(server_keys))]
        with listen(None) as listening:
            self.page_address = page_address(listening)
            number = listening.fileno()
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", __package__.partition(".")[0], "view"),
                    *("--connect", reachable_address(address), *keys, "--beside", str(number)),
                ],
                stdin=subprocess.PIPE,
                pass_fds=[number],
                start_new_session=True,  # Ctrl-C is for the run, which then ends this
            )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def client_folder(server_keys: Path) -> Path:
    """Return the folder of the keys that the page takes; UsageError if they have not been made."""
    folder = server_keys / HAND_OUT / CLIENT
    if not is_there(folder):
        raise UsageError(
            f"--view with --keys {server_keys} needs keys of its own, and there are none in {folder}; "
            f"make them with foal-edge keys {server_keys} --client {CLIENT}"
        )
    return folder


def lower_priority() -> None:
    """Give this process the lowest priority: it takes what the run leaves."""
    os.nice(LOWEST_PRIORITY)
