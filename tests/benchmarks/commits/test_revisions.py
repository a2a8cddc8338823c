"""Revisions of a repository that is made here."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.commits.revisions import find_last_release, find_revision
from edge.errors import UsageError

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *WHO, *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    for number in range(3):
        date = f"2026-11-0{number + 1}T12:00:00+00:00"
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", f"{number}", "--date", date)
    return tmp_path


def test_a_reference_is_a_commit_with_its_hash_and_day(repository: Path) -> None:
    found = find_revision(repository, "HEAD~1")
    assert found.commit == git(repository, "rev-parse", "HEAD~1")
    assert found.date == git(repository, "log", "-1", "--format=%cs", "HEAD~1")
    assert found.title == f"HEAD~1 ({found.commit[:7]}, {found.date})"


@pytest.mark.parametrize("name", ["gone", "HEAD~9", "--all"])
def test_a_name_that_is_no_commit_is_refused(repository: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is no commit of .*; give a branch, a tag or a hash"):
        find_revision(repository, name)


def test_the_last_release_is_the_newest_tag_before(repository: Path) -> None:
    with pytest.raises(UsageError, match=r"no tag before HEAD; .* --against"):
        find_last_release(repository, "HEAD")
    for name, commit in (("v0.1.0", "HEAD~2"), ("v0.2.0", "HEAD~1"), ("v0.3.0", "HEAD")):
        git(repository, "tag", name, commit)
    assert find_last_release(repository, "HEAD").name == "v0.2.0"
    assert find_last_release(repository, "HEAD").commit == git(repository, "rev-parse", "HEAD~1")
