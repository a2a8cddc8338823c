"""Engines on disk: whole and wanted, or not used; one process builds at a time."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import msgspec
import pytest
from msgspec.structs import FieldInfo, replace

from edge.backends.tensorrt import cache
from edge.backends.tensorrt.cache import CacheMissError, Header, Key
from edge.bundle.load import Bundle
from edge.bundle.manifest import Batch
from edge.errors import EngineError

ROOT = Path(__file__).parents[4]
CONTENT = bytes(range(256)) * 4 + b"\nnot the first line\n"
OTHERS = {
    "variant": "tensorrt-rtx",
    "version": "10.4.0",
    "capability": "8.6",
    "device": None,
    "driver": "580",
    "graph_sha256": ["cd" * 32, "ef" * 32],
    "batch": Batch(1, 9),
}
HOLDER = """
import functools, signal, sys, threading
from pathlib import Path
from edge.backends.tensorrt import cache
stopped = threading.Event()
signal.signal(signal.SIGINT, lambda *_: stopped.set())
tell = functools.partial(print, flush=True)
try:
    with cache.locked(Path(sys.argv[1]), tell, stopped.is_set):
        tell("held")
        sys.stdin.readline()
except KeyboardInterrupt:
    tell("stopped")
"""


@pytest.fixture
def file(tmp_path: Path, key: Key) -> Path:
    """An engine's file."""
    cache.write(tmp_path / "fusion.engine", key, memoryview(CONTENT))
    return tmp_path / "fusion.engine"


def reason(file: Path, key: Key) -> str:
    with pytest.raises(CacheMissError) as refused:
        cache.read(file, key)
    return str(refused.value)


def test_what_is_written_is_read_and_its_first_line_says_what_it_is(file: Path, key: Key) -> None:
    assert cache.read(file, key) == CONTENT
    line, _, content = file.read_bytes().partition(b"\n")
    assert content == CONTENT
    header = msgspec.json.decode(line, type=Header)
    assert header == Header(key, hashlib.sha256(CONTENT).hexdigest())
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("field", msgspec.structs.fields(Key), ids=lambda field: field.name)
def test_whatever_differs_from_what_is_wanted_is_named(file: Path, key: Key, field: FieldInfo) -> None:
    name = field.name
    wanted = replace(key, **{name: OTHERS[name]})
    theirs, ours = (msgspec.to_builtins(getattr(each, name)) for each in (key, wanted))
    assert reason(file, wanted) == f"its {field.encode_name} is {theirs}, here {ours}"


def test_all_that_differs_is_named(file: Path, key: Key) -> None:
    assert reason(file, Key(**OTHERS)).count("; its ") == len(OTHERS) - 1


@pytest.mark.parametrize("bit", [0, 5, 7])
def test_a_bit_that_flips_anywhere_is_seen(file: Path, key: Key, bit: int) -> None:
    whole = file.read_bytes()
    header = len(whole) - len(CONTENT)
    for place in [*range(header), *range(header, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        assert reason(file, key)


@pytest.mark.parametrize("kept", [0, 1, 100, -len(CONTENT) - 1, -len(CONTENT), -1])
def test_a_file_that_is_cut_off_is_damaged(file: Path, key: Key, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    assert reason(file, key).startswith("it is damaged")


@pytest.mark.parametrize("first", [b"\x00" * 5000, b"[" * 4096, b'{"key":' * 500, b"\n", b"null\n", b"\xff\xfe\n"])
def test_a_file_of_another_kind_is_damaged(file: Path, key: Key, first: bytes) -> None:
    file.write_bytes(first + CONTENT)
    assert reason(file, key).startswith("it is damaged")


def test_no_more_than_a_header_is_read_as_one(file: Path, key: Key) -> None:
    line = msgspec.json.encode(Header(key, hashlib.sha256(CONTENT).hexdigest()))
    file.write_bytes(line.ljust(cache.LONGEST_HEADER - 1) + b"\n" + CONTENT)
    assert cache.read(file, key) == CONTENT
    file.write_bytes(line.ljust(cache.LONGEST_HEADER) + b"\n" + CONTENT)
    assert reason(file, key).startswith("it is damaged")


def test_what_is_no_file_is_not_used(tmp_path: Path, key: Key) -> None:
    assert reason(tmp_path / "none", key) == "there is none yet"
    (tmp_path / "folder").mkdir()
    assert reason(tmp_path / "folder", key).startswith("it cannot be read (")


@pytest.mark.parametrize("failing", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_ends_early_leaves_the_old_file_alone(file: Path, key: Key, monkeypatch, failing) -> None:
    def fail(_: int) -> None:
        raise failing

    monkeypatch.setattr(os, "fsync", fail)
    expected = EngineError if isinstance(failing, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as raised:
        cache.write(file, key, memoryview(b"half"))
    if expected is EngineError:
        assert str(raised.value).startswith(f"{file} cannot be written ([Errno 28] No space left on device); make room")
    assert cache.read(file, key) == CONTENT
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("place", ["a folder", "below a file"])
def test_a_place_that_takes_no_file_is_named_with_the_remedy(tmp_path: Path, key: Key, place: str) -> None:
    file = tmp_path / "there" / "fusion.engine"
    if place == "a folder":
        file.mkdir(parents=True)
    else:
        file.parent.write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(EngineError) as refused:
        cache.write(file, key, memoryview(CONTENT))
    assert str(refused.value).startswith(f"{file} cannot be written (")
    assert str(refused.value).endswith("; make room, or move what is in its place")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_engine_that_may_be_used_is_told_from_one_that_may_not(file: Path, key: Key) -> None:
    assert cache.read(file, key) == CONTENT
    assert reason(file, replace(key, batch=Batch(1, 9))).startswith("its batch is ")
    assert reason(file.with_name("none"), key) == "there is none yet"


@contextmanager
def started(folder: Path, line: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that wants the folder to itself, and has said this."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == f"{line}\n"
            yield process
        finally:
            process.kill()


def waiting(folder: Path) -> str:
    return f"waiting for another process that builds into {folder}"


@pytest.mark.parametrize("ended", ["released", "killed"])
def test_who_comes_second_is_told_and_waits_for_the_other_process(tmp_path: Path, ended: str) -> None:
    folder, told, entered = tmp_path / "engines" / "here", Queue[str](), threading.Event()

    def enter() -> None:
        with cache.locked(folder, told.put, bool):
            entered.set()

    with started(folder, "held") as process:
        second = threading.Thread(target=enter)
        second.start()
        assert told.get(timeout=60) == waiting(folder)
        assert not entered.wait(0.1)
        if ended == "killed":
            process.kill()
        else:
            process.communicate("\n", timeout=60)
        assert entered.wait(60)
        second.join()
    assert told.empty()


def test_who_waits_ends_when_it_is_stopped(tmp_path: Path) -> None:
    with started(tmp_path, "held") as first, started(tmp_path, waiting(tmp_path)) as second:
        second.send_signal(signal.SIGINT)
        assert second.communicate(timeout=60)[0] == "stopped\n"
        assert second.returncode == 0
        assert first.poll() is None
        with started(tmp_path, waiting(tmp_path)):
            pass


def test_who_is_alone_is_told_nothing_and_may_come_again(tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        with cache.locked(tmp_path / "a" / "b", told.append, bool):
            pass
    assert told == []


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(EngineError, match=rf"^engines cannot be kept in {tmp_path}/file/here \(.*\); make it writable$"),
        cache.locked(tmp_path / "file" / "here", print, bool),
    ):
        pass


@pytest.fixture
def locked_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing can be written to but the home folder, for root neither."""
    home = tmp_path / "home"
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).is_relative_to(home))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return home


@pytest.mark.parametrize("is_there", [False, True])
def test_engines_lie_in_the_bundle(manifest, tmp_path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "engines").mkdir()
    inside, outside = cache.roots(Bundle(tmp_path, manifest))
    assert inside == tmp_path / "engines"
    assert not outside.is_relative_to(tmp_path / "engines")


@pytest.mark.parametrize("is_there", [False, True])
def test_engines_of_a_bundle_that_is_locked_lie_in_the_users_cache(
    manifest, tmp_path, locked_away, monkeypatch, is_there: bool
) -> None:
    bundle = Bundle(tmp_path / "bundle", manifest)
    if is_there:
        (tmp_path / "bundle" / "engines").mkdir(parents=True)
    inside, name = bundle.folder / "engines", "tiny-0.0.1-00000000"
    assert cache.roots(bundle) == [locked_away / ".cache" / "foal-edge" / "engines" / name, inside]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache.roots(bundle) == [tmp_path / "caches" / "foal-edge" / "engines" / name, inside]


def test_bundles_of_one_name_and_version_share_no_engines(manifest, tmp_path, locked_away) -> None:
    golden = replace(manifest.golden, sha256="1" * 64)
    both = [Bundle(tmp_path, each) for each in (manifest, replace(manifest, golden=golden))]
    assert len({cache.roots(bundle)[0] for bundle in both}) == 2


def test_the_first_engine_that_fits_is_found_wherever_it_lies(manifest, tmp_path, locked_away, key: Key) -> None:
    bundle = Bundle(tmp_path / "bundle", manifest)
    first, second = cache.paths(bundle, key, "fusion")
    assert [file.name for file in (first, second)] == ["fusion.engine"] * 2
    assert [file.parents[1] for file in (first, second)] == cache.roots(bundle)
    with pytest.raises(CacheMissError, match=r"^there is none yet$"):
        cache.find(bundle, [key], "fusion")
    cache.write(second, key, memoryview(b"second"))
    assert cache.find(bundle, [key], "fusion") == b"second"
    cache.write(first, replace(key, batch=Batch(1, 9)), memoryview(b"foreign"))
    assert cache.find(bundle, [key], "fusion") == b"second"
    cache.write(first, key, memoryview(b"first"))
    assert cache.find(bundle, [key], "fusion") == b"first"
    first.write_bytes(b"")
    second.unlink()
    with pytest.raises(CacheMissError, match=r"^it is damaged"):
        cache.find(bundle, [key], "fusion")


@pytest.mark.parametrize(
    ("name", "version"), [("../../../../evil", "1"), ("/evil", "1"), ("tiny", "/../../../evil"), ("..", "..")]
)
def test_a_bundles_name_leads_nowhere_else(manifest, tmp_path, locked_away, name: str, version: str) -> None:
    found = cache.roots(Bundle(tmp_path, replace(manifest, name=name, version=version)))[0]
    assert Path(os.path.normpath(found)).parent == locked_away / ".cache" / "foal-edge" / "engines"


@pytest.mark.parametrize(
    ("device", "driver", "name"),
    [
        ("Orin", "L4T 36.4", "orin-sm87-tensorrt-10.3.0-driver-l4t-36.4"),
        ("NVIDIA GeForce RTX 4090 / Laptop (x)", "580",
         "nvidia-geforce-rtx-4090-laptop-x-sm87-tensorrt-10.3.0-driver-580"),
        ("../../etc", "580", "etc-sm87-tensorrt-10.3.0-driver-580"),
        ("Grün\n\0", "unknown", "gr-n-sm87-tensorrt-10.3.0-driver-unknown"),
        ("..hidden", "580", "hidden-sm87-tensorrt-10.3.0-driver-580"),
        ("Orin", "--", "orin-sm87-tensorrt-10.3.0-driver"),
        (None, None, "any-sm87-tensorrt-10.3.0-any-driver"),
    ],
)  # fmt: skip
def test_folders_are_named_safely(key: Key, device, driver, name: str) -> None:
    found = replace(key, device=device, driver=driver).folder
    assert found == name
    assert Path(found).name == found


def test_folders_differ_where_engines_do_and_not_by_the_graph(key: Key) -> None:
    folders = {name: replace(key, **{name: other}).folder for name, other in OTHERS.items()}
    assert {name for name, folder in folders.items() if folder == key.folder} == {"graph_sha256", "batch"}
    assert len(set(folders.values())) == len(folders) - 1
