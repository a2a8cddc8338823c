"""Entry point of `foal-edge` and `python -m edge`."""

import sys
from contextlib import suppress

from .system.signals import FORCED_STATUS, INTERRUPTS, exit_if_threads_remain
from .system.standard_streams import open_closed_streams


def main() -> None:
    """Run the command line; Ctrl-C is heard from the first moment on."""
    open_closed_streams()
    INTERRUPTS.watch()
    try:
        if sys.argv[1:] == ["--version"]:  # answered at once: no command line is loaded for it
            from .system.versions import version_line

            with suppress(OSError):  # the command line explains a stdout that is full
                print(version_line(), flush=True)  # noqa: T201
                sys.exit()
        from .cli.main import run_command  # here, so that Ctrl-C is heard while it is imported

        run_command()
    except SystemExit as ended:
        exit_if_threads_remain(ended.code)
        raise
    except KeyboardInterrupt:  # where there is nothing to stop in order
        exit_if_threads_remain(FORCED_STATUS)
        sys.exit(FORCED_STATUS)


if __name__ == "__main__":
    main()
