"""`foal-edge` and `python -m edge`."""

import sys
from collections.abc import Callable

from .system.resources import exhaustion
from .system.signals import FORCED_STATUS, INTERRUPTS, leave
from .system.standard_streams import stand_in


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
    """The command line, or why OpenCV is none."""
    try:
        import cv2

        _ = cv2.VideoCapture  # a folder that another package of OpenCV left behind is imported too, empty
    except (ImportError, AttributeError) as error:
        sys.exit(
            f"foal-edge: {lack}"
            if (lack := exhaustion(error))
            else f"foal-edge: OpenCV does not load ({error}); take it anew: "
            "pip install --force-reinstall --no-deps 'opencv-python-headless>=4.10.0.84,<5' "
            "(OpenCV with windows, opencv-python, lies in the same folder and needs libgl1 and libglib2.0-0)"
        )
    from .cli.main import run_command

    return run_command


if __name__ == "__main__":
    main()
