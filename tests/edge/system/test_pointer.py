"""Pointers that a clone without its large files has in their place are told from what they stand for."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.system.files import check_file
from edge.system.pointer import described, link_described


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"/annex/objects/MD5E-s9--0.wav\n", "git annex get"),
    ],
)
def test_a_pointer_is_named_with_what_fetches_its_file(tmp_path: Path, content: bytes, remedy: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert remedy in str(described(path))
    with pytest.raises(UsageError, match=rf"a\.wav is a git.*{remedy}|a\.wav is a Git LFS.*{remedy}"):
        check_file(path, "give a recording")


def test_a_link_to_content_that_is_not_here_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.symlink_to(".git/annex/objects/x/y/MD5E-s9--0.wav")
    assert "git annex get" in str(link_described(path))
    with pytest.raises(UsageError, match=r"a\.wav is a link of git-annex.*git annex get"):
        check_file(path, "give a recording")


def test_anything_else_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF version https://git-lfs.github.com/spec/v1")
    assert described(path) is None
    check_file(path, "give a recording")
    (tmp_path / "b.wav").symlink_to("nowhere.wav")
    assert link_described(tmp_path / "b.wav") is None
