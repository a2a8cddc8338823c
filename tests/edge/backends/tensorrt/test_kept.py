"""What is said of engines that are kept for something else, and files that are no files of one's own."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.backends.tensorrt import cache
from edge.backends.tensorrt.cache import NONE_YET, CacheMissError, Key
from edge.bundle.load import Bundle

CONTENT = memoryview(b"an engine")


def reason(bundle: Bundle, key: Key) -> str:
    with pytest.raises(CacheMissError) as refused:
        cache.find(bundle, [key], "fusion")
    return str(refused.value)


def test_where_nothing_is_kept_that_is_said(copied: Bundle, key: Key) -> None:
    assert reason(copied, key) == NONE_YET


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "10.4.0"}, "its version is 10.3.0, here 10.4.0"),
        ({"driver": "L4T 38.2"}, "its driver is L4T 36.4, here L4T 38.2"),
        ({"device": "Thor", "capability": "11.0"}, "its capability is 8.7, here 11.0; its device is Orin, here Thor"),
    ],
)
def test_after_an_update_what_changed_is_named(copied: Bundle, key: Key, changes: dict, said: str) -> None:
    cache.write(cache.paths(copied, key, "fusion")[0], key, CONTENT)
    assert reason(copied, replace(key, **changes)) == f"of the one in {key.folder}, {said}"


def test_a_damaged_engine_is_named_before_others(copied: Bundle, key: Key) -> None:
    file = cache.paths(copied, key, "fusion")[0]
    cache.write(file, key, CONTENT)
    cache.write(cache.paths(copied, replace(key, version="9"), "fusion")[0], replace(key, version="9"), CONTENT)
    file.write_bytes(file.read_bytes()[:-1])
    assert reason(copied, key).startswith("it is damaged")


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_a_pipe_or_a_link_is_not_opened(tmp_path: Path, key: Key, kind: str) -> None:
    file, real = tmp_path / "fusion.engine", tmp_path / "real"
    cache.write(real, key, CONTENT)
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(real)
    with pytest.raises(CacheMissError, match="it cannot be read"):
        cache.read(file, key)
    assert cache.read_if_kept(file) == b""


def test_engines_are_not_written_through_a_link(copied: Bundle, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "elsewhere").mkdir()
    (copied.folder / cache.FOLDER).symlink_to(tmp_path / "elsewhere")
    assert cache.roots(copied)[0].is_relative_to(tmp_path / "caches")


@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_without_a_home_there_is_still_a_place(copied: Bundle, monkeypatch, home: str | None) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", home or "~"))
    assert all(root.is_absolute() for root in cache.roots(copied))


def test_engines_may_be_read_by_other_users(tmp_path: Path, key: Key) -> None:
    cache.write(tmp_path / "fusion.engine", key, CONTENT)
    assert (tmp_path / "fusion.engine").stat().st_mode & 0o777 == 0o644
