"""`foal-edge` and `python -m edge`."""

import sys
from collections.abc import Callable

from .interrupts import FORCED_STATUS, INTERRUPTS, leave
from .standard_streams import stand_in


def main() -> None:
    """Run the command line; Ctrl-C is heard from the first moment on."""
    stand_in()
    INTERRUPTS.watch()
    try:
        load()()
    except SystemExit as ended:
        leave(ended.code)
        raise
    except KeyboardInterrupt:  # where there is nothing to stop in order
        leave(FORCED_STATUS)
        sys.exit(FORCED_STATUS)


def load() -> Callable[[], None]:
    """The command line, or which system library it lacks."""
    try:
        from .commands import run_command
    except ImportError as error:
        if "cannot open shared object file" not in str(error):
            raise
        sys.exit(
            f"foal-edge: OpenCV lacks a system library ({error}); "
            "install it (Debian, Ubuntu: apt install libgl1 libglib2.0-0)"
        )
    return run_command


if __name__ == "__main__":
    main()
