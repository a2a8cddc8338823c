"""Engines on disk: whole and wanted, or not used; one process builds at a time."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import msgspec
import pytest
from msgspec.structs import replace

from edge.bundle import Batch, Bundle
from edge.engines import cache
from edge.engines.cache import Header, Key, Unfit
from edge.errors import EngineError

ROOT = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 4 + b"\nnot the first line\n"
OTHERS = {
    "flavour": "tensorrt-rtx",
    "version": "10.4.0",
    "capability": "8.6",
    "device": None,
    "driver": "580",
    "graph_sha256": "cd" * 32,
    "batch": Batch(1, 9),
}
HOLDER = """
import sys
from pathlib import Path
from edge.engines import cache
with cache.locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def file(tmp_path: Path, key: Key) -> Path:
    """An engine's file."""
    cache.write(tmp_path / "fusion.engine", key, memoryview(CONTENT))
    return tmp_path / "fusion.engine"


def reason(file: Path, key: Key) -> str:
    with pytest.raises(Unfit) as refused:
        cache.read(file, key)
    return str(refused.value)


def test_what_is_written_is_read_and_its_first_line_says_what_it_is(file: Path, key: Key) -> None:
    assert cache.read(file, key) == CONTENT
    line, _, content = file.read_bytes().partition(b"\n")
    assert content == CONTENT
    header = msgspec.json.decode(line, type=Header)
    assert header == Header(key, hashlib.sha256(CONTENT).hexdigest())
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("name", Key.__struct_fields__)
def test_whatever_differs_from_what_is_wanted_is_named(file: Path, key: Key, name: str) -> None:
    wanted = replace(key, **{name: OTHERS[name]})
    theirs, ours = (msgspec.to_builtins(getattr(each, name)) for each in (key, wanted))
    assert reason(file, wanted) == f"its {name} is {theirs}, here {ours}"


def test_all_that_differs_is_named(file: Path, key: Key) -> None:
    assert reason(file, Key(**OTHERS)).count("; its ") == len(OTHERS) - 1


NOT_UTF8 = pytest.mark.xfail(
    strict=True, raises=UnicodeDecodeError, reason="edge/engines/cache.py: msgspec's UnicodeDecodeError is not Unfit"
)


@pytest.mark.parametrize("bit", [0, 5, pytest.param(7, marks=NOT_UTF8)])
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
    with pytest.raises(type(failing)):
        cache.write(file, key, memoryview(b"half"))
    assert cache.read(file, key) == CONTENT
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@contextmanager
def held(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process has the folder to itself."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("ended", ["released", "killed"])
def test_who_comes_second_is_told_and_waits_for_the_other_process(tmp_path: Path, ended: str) -> None:
    folder, told, entered = tmp_path / "engines" / "here", Queue[str](), threading.Event()

    def enter() -> None:
        with cache.locked(folder, told.put):
            entered.set()

    with held(folder) as process:
        second = threading.Thread(target=enter)
        second.start()
        assert told.get(timeout=20) == f"waiting for another process that builds into {folder}"
        assert not entered.wait(0.1)
        if ended == "killed":
            process.kill()
        else:
            process.communicate("\n", timeout=20)
        assert entered.wait(20)
        second.join()
    assert told.empty()


def test_who_is_alone_is_told_nothing_and_may_come_again(tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        with cache.locked(tmp_path / "a" / "b", told.append):
            pass
    assert told == []


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(EngineError, match=rf"^engines cannot be kept in {tmp_path}/file/here \(.*\); make it writable$"),
        cache.locked(tmp_path / "file" / "here", print),
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
    assert cache.root(Bundle(tmp_path, manifest)) == tmp_path / "engines"


@pytest.mark.parametrize("is_there", [False, True])
def test_engines_of_a_bundle_that_is_locked_lie_in_the_users_cache(
    manifest, tmp_path, locked_away, monkeypatch, is_there: bool
) -> None:
    bundle = Bundle(tmp_path / "bundle", manifest)
    if is_there:
        (tmp_path / "bundle" / "engines").mkdir(parents=True)
    assert cache.root(bundle) == locked_away / ".cache" / "foal-edge" / "engines" / "tiny-0.0.1"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache.root(bundle) == tmp_path / "caches" / "foal-edge" / "engines" / "tiny-0.0.1"


@pytest.mark.parametrize(("name", "version"), [("../../../../evil", "1"), ("/evil", "1"), ("tiny", "/../../../evil")])
def test_a_bundles_name_leads_nowhere_else(manifest, tmp_path, locked_away, name: str, version: str) -> None:
    found = cache.root(Bundle(tmp_path, replace(manifest, name=name, version=version)))
    assert Path(os.path.normpath(found)).parent == locked_away / ".cache" / "foal-edge" / "engines"


@pytest.mark.parametrize(
    ("device", "driver", "name"),
    [
        ("Orin", "L4T 36.4", "orin-sm87-tensorrt-10.3.0-driver-l4t-36.4"),
        ("NVIDIA GeForce RTX 4090 / Laptop (x)", "580",
         "nvidia-geforce-rtx-4090-laptop-x-sm87-tensorrt-10.3.0-driver-580"),
        ("../../etc", "580", "..-..-etc-sm87-tensorrt-10.3.0-driver-580"),
        ("Grün\n\0", "unknown", "gr-n-sm87-tensorrt-10.3.0-driver-unknown"),
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
