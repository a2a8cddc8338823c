"""`foal-edge` and `python -m edge`."""

import sys


def main() -> None:
    """Run the command line, or say which system library it lacks."""
    try:
        from .commands import run_command
    except ImportError as error:
        if "libGL" not in str(error):
            raise
        sys.exit(f"OpenCV lacks a system library ({error}); install it (Debian, Ubuntu: apt install libgl1)")
    run_command()


if __name__ == "__main__":
    main()
