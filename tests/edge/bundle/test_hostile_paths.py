"""Paths made to do harm: where a manifest says that files lie, and what lies there instead of a regular file."""

import os
import shutil
from pathlib import Path

import pytest

from edge.bundle.load import load
from tests.edge.made_bundles import AGAIN, LEAVE_IT, Case, Folder, assert_refused


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def outside(path: Path) -> None:
    """Move a file out of the bundle and link to it."""
    shutil.move(path, path.parent.parent / path.name)
    path.symlink_to(path.parent.parent / path.name)


CASES: dict[str, Case] = {
    "path climbs": (lambda f: f.edit("../../x.npz", "golden", "path"), ["'../../x.npz'", "leaves", LEAVE_IT]),
    "path absolute": (lambda f: f.edit("/etc/passwd", "golden", "path"), ["'/etc/passwd'", "leaves", LEAVE_IT]),
    "path backslash": (lambda f: f.edit("..\\x.npz", "golden", "path"), ["x.npz'", "leaves", LEAVE_IT]),
    "path of a drive": (lambda f: f.edit("C:x.npz", "golden", "path"), ["'C:x.npz'", "leaves", LEAVE_IT]),
    "path with NUL": (lambda f: f.edit("golden.npz\0", "golden", "path"), [r"'golden.npz\x00'", LEAVE_IT]),
    "path empty": (lambda f: f.edit("", "golden", "path"), ["golden.path", "found ''", AGAIN]),
    "path too long": (lambda f: f.edit("x" * 5000, "golden", "path"), ["xxx is missing", AGAIN]),
    "path of a folder": (lambda f: f.edit(".", "golden", "path"), ["is a directory", "regular file", AGAIN]),
    "link out of the folder": (lambda f: outside(f.path / "fusion.onnx"), ["fusion.onnx is a link", LEAVE_IT]),
    "link to itself": (lambda f: link(f.path / "fusion.onnx", "fusion.onnx"), ["fusion.onnx is missing", AGAIN]),
    "pipe": (lambda f: pipe(f.path / "fusion.onnx"), ["fusion.onnx is a pipe", "regular file", AGAIN]),
    "manifest is a pipe": (lambda f: pipe(f.manifest), ["manifest.json is a pipe", "regular file", AGAIN]),
    "manifest is a folder": (lambda f: directory(f.manifest), ["manifest.json is a directory", "regular", AGAIN]),
    "manifest is a device": (lambda f: link(f.manifest, "/dev/zero"), ["manifest.json is a link", LEAVE_IT]),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused(shipped_copy: Folder, name: str) -> None:
    assert_refused(shipped_copy, CASES[name], load)
