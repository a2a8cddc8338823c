"""Bundle: a folder of three ONNX graphs, golden vectors, and the manifest that describes them.

A bundle is all that training and export hand to the runtime. Whatever the manifest does not explain is refused.
"""

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import msgspec

from ..errors import BundleError
from ..system.files import denied, is_there
from ..system.resources import exhaustion
from . import consistency, onnx_header
from .manifest import DAMAGED_REMEDY, File, Manifest, decode_manifest

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 1 << 20
"""Size in bytes; a manifest of three graphs has a few thousand."""
SHIPPED = Path(__file__).parents[1] / "models" / "foal-nano"
"""Folder of the bundle that comes with the package."""


class Bundle(msgspec.Struct, frozen=True):
    """A bundle on disk whose files are those of its manifest."""

    folder: Path
    manifest: Manifest

    def path(self, file: File) -> Path:
        """Return the path of one of the bundle's files."""
        return self.folder / file.path


def load(folder: Path) -> Bundle:
    """Read and verify a bundle; BundleError says what was found, what was expected, and the remedy.

    No inference engine has read the graphs yet: nothing has run, and only the manifest has taken memory.
    """
    return verify(folder, describe(folder))


def describe(folder: Path) -> Manifest:
    """Read a bundle's manifest, which tells what inputs the model takes; its files are not verified yet."""
    if not is_there(folder / MANIFEST, BundleError) and not os.path.lexists(folder / MANIFEST):
        raise BundleError(f"no bundle at {folder}: it has no {MANIFEST}; python -m export bundle makes one")
    manifest = read_manifest(folder)
    consistency.check(manifest, folder)
    return manifest


def verify(folder: Path, manifest: Manifest) -> Bundle:
    """Return the bundle of a manifest, which `describe` has read, once its files are found to be those it lists."""
    for entry in manifest.graphs.by_name().values():
        for file in entry.files:
            verify_file(folder, file)
        onnx_header.check(folder / entry.file.path, folder / entry.weights.path if entry.weights else None)
    verify_file(folder, manifest.golden)
    return Bundle(folder, manifest)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder; BundleError where it is missing or damaged."""
    path = locate(folder, MANIFEST)
    try:
        with path.open("rb") as stream:
            text = stream.read(LARGEST_MANIFEST + 1)
    except PermissionError as error:
        raise BundleError(denied(path)) from error
    except OSError as error:
        raise exhaustion(error) or BundleError(f"{path} cannot be read: {error.strerror}; {DAMAGED_REMEDY}") from error
    if len(text) > LARGEST_MANIFEST:
        raise BundleError(
            f"{path} is damaged: it has {path.stat().st_size} bytes, "
            f"at most {LARGEST_MANIFEST} are expected; {DAMAGED_REMEDY}"
        )
    return decode_manifest(text, path)


def verify_file(folder: Path, file: File) -> None:
    """Raise BundleError unless the file lies inside the folder and has the hash that the manifest gives."""
    path = locate(folder, file.path)
    try:
        found = sha256(path)
    except PermissionError as error:
        raise BundleError(denied(path)) from error
    except OSError as error:
        raise exhaustion(error) or BundleError(f"{path} cannot be read: {error.strerror}; {DAMAGED_REMEDY}") from error
    if found != file.sha256:
        raise BundleError(f"{path} is damaged: its sha256 is {found}, {MANIFEST} says {file.sha256}; {DAMAGED_REMEDY}")


def locate(folder: Path, name: str) -> Path:
    """Return the path of a file that the manifest names; BundleError unless it is a regular file inside the folder."""
    relative = PurePosixPath(name)
    climbs = relative.is_absolute() or ".." in relative.parts or PureWindowsPath(name).drive
    if climbs or {"\\", "\0"} & set(name):
        raise BundleError(f"{folder / MANIFEST} names {name!r}, which leaves the bundle; do not use this bundle")
    path = folder / relative
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise BundleError(f"{path} is a link that leaves the bundle; do not use this bundle")
    if not os.path.exists(path):
        raise BundleError(f"{path} is missing; {DAMAGED_REMEDY}")
    if not os.path.isfile(path):  # opening a pipe would wait for its writer
        kind = "a directory" if os.path.isdir(path) else "a pipe, socket or device"
        raise BundleError(f"{path} is {kind}, a regular file is expected; {DAMAGED_REMEDY}")
    return path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    import hashlib  # here, as OpenSSL takes 5 ms to load, and recordings are opened before

    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
