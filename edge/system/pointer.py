"""Files that only point at what should be there: what a clone has that Git LFS or git-annex did not fill in."""

from pathlib import Path

LFS = b"version https://git-lfs.github.com/spec/v1"
ANNEX = b"/annex/objects/"


def described(path: Path) -> str | None:
    """Completes a sentence that begins with the path of a file, remedy included; None where it is no pointer."""
    with path.open("rb") as file:
        begin = file.read(len(LFS))
    if begin == LFS:
        return "is a Git LFS pointer, not the file itself; git lfs pull fetches it"
    if begin.startswith(ANNEX):
        return "is a git-annex pointer, not the file itself; git annex get fetches it"
    return None


def link_described(path: Path) -> str | None:
    """The same of a link that leads nowhere: git-annex leaves those."""
    if path.is_symlink() and "annex/objects" in str(path.readlink()):
        return "is a link of git-annex to content that is not here; git annex get fetches it"
    return None
