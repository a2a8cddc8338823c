"""`foal-edge` and `python -m edge`."""

import sys

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
    run_command()


if __name__ == "__main__":
    main()
