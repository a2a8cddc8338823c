"""Views forked off one process that has imported `foal-edge view`, as most of a start is importing it.

Run as a program it takes a request a line, a JSON list, and answers each with a number: `start`, a folder to run in, a
file for what is said, and arguments, with the process; `wait` and a process with its exit status.
"""

import json
import os
import signal
import sys
import time

from edge.__main__ import main
from edge.cli import main as commands
from edge.view import server

IMPORTED = commands, server
WAIT_S = 60.0


def become_view(folder: str, said: str, *arguments: str) -> None:
    """Go on as the program, to the end of the process."""
    os.chdir(folder)
    for descriptor, path in enumerate((os.devnull, said, said)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), descriptor)
    sys.argv = ["foal-edge", "view", *arguments]
    main()


def wait(process: int) -> int:
    """Return the exit status of a view that has been told to end; it is killed where it does not."""
    ends_s = time.monotonic() + WAIT_S
    while (found := os.waitpid(process, os.WNOHANG))[0] == 0:
        if time.monotonic() > ends_s:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(found[1])


if __name__ == "__main__":
    for line in sys.stdin:
        request, *words = json.loads(line)
        if request == "wait":
            answer = wait(int(words[0]))
        elif (answer := os.fork()) == 0:
            become_view(*words)
        print(answer, flush=True)  # noqa: T201
