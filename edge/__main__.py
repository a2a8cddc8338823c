"""`foal-edge` and `python -m edge`."""

import os
import sys
import threading

INTERRUPTED = 130
"""Exit status where Ctrl-C comes before there is anything to stop."""


def main() -> None:
    """Run the command line, or say which system library it lacks."""
    try:
        from .commands import run_command
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ImportError as error:
        if "cannot open shared object file" not in str(error):
            raise
        sys.exit(
            f"foal-edge: OpenCV lacks a system library ({error}); "
            "install it (Debian, Ubuntu: apt install libgl1 libglib2.0-0)"
        )
    try:
        run_command()
    except SystemExit as ended:
        leave(ended.code)
        raise


def leave(status: str | int | None) -> None:
    """End at once where a thread was left behind in a driver or a terminal: Python's own end would abort in it."""
    if isinstance(status, int) and any(thread.daemon for thread in threading.enumerate()):
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
