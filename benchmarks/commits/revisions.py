"""Revisions of the repository: found by name, and installed into an environment of their own."""

from pathlib import Path

import msgspec

from edge.errors import FoalError, UsageError

from ..environments import call, install, make_python


class Revision(msgspec.Struct, frozen=True):
    """Commit of the repository."""

    name: str
    """Reference by which it was asked for."""
    commit: str
    """Hash, 40 hex digits."""
    date: str
    """Day of the commit, as in 2026-11-30."""

    @property
    def title(self) -> str:
        """Name, hash and day, for people."""
        return f"{self.name} ({self.commit[:7]}, {self.date})"


def find_revision(root: Path, name: str) -> Revision:
    """Return the commit of a reference of the repository at `root`; UsageError where there is none."""
    try:
        commit, date = call(["git", "log", "-1", "--format=%H %cs", f"{name}^{{commit}}", "--"], root).split()
    except FoalError as error:
        raise UsageError(f"{name} is no commit of {root}; give a branch, a tag or a hash") from error
    return Revision(name, commit, date)


def find_last_release(root: Path, name: str) -> Revision:
    """Return the newest tag before a reference; UsageError where there is none."""
    try:
        tag = call(["git", "describe", "--tags", "--abbrev=0", f"{name}^"], root).strip()
    except FoalError as error:
        raise UsageError(f"no tag before {name}; give the commit to compare with, e.g. --against HEAD~20") from error
    return find_revision(root, tag)


def install_revision(root: Path, revision: Revision, folder: Path) -> Path:
    """Install a revision with all that it needs, and return the Python of its environment."""
    folder.mkdir()
    source, archive = folder / "source", folder / "source.tar"
    source.mkdir()
    call(["git", "archive", "--output", archive, revision.commit], root)
    call(["tar", "-xf", archive, "-C", source])
    python = make_python(folder / "environment")
    install(python, source)
    return python
