"""Check that OpenCV loads, before a command that needs it is imported."""

from ..errors import FoalError
from ..system.resources import exhaustion


def check_opencv() -> None:
    """Raise FoalError with the remedy unless OpenCV can be imported and is whole."""
    try:
        import cv2

        _ = cv2.VideoCapture  # a folder that another package of OpenCV left behind is imported too, empty
    except (ImportError, AttributeError) as error:
        raise exhaustion(error) or FoalError(
            f"OpenCV does not load ({error}); install it again: "
            "pip install --force-reinstall --no-deps 'opencv-python-headless>=4.10.0.84,<5' "
            "(OpenCV with windows, opencv-python, lies in the same folder and needs libgl1 and libglib2.0-0)"
        ) from error
