"""Names of the bundles that come with the package."""

from pathlib import Path

from ..errors import BundleError
from ..system.files import is_there

FOLDER = Path(__file__).parent


def find_bundle_folder(place: Path) -> Path:
    """Return a path as it is, and of a name that is none the folder of the bundle that comes with the package.

    BundleError where there is neither a file nor a bundle of that name.
    """
    if len(place.parts) != 1 or is_there(place, BundleError):
        return place
    names = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir() and not folder.name.startswith("__"))
    if place.name not in names:
        raise BundleError(
            f"no bundle at {place}: there is no such folder, and the package has {', '.join(names)}; "
            "give such a name, or the folder of a bundle"
        )
    return FOLDER / place.name
