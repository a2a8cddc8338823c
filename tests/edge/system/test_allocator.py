"""Arenas of glibc: counted by glibc itself in a process of its own, whose threads all allocate at once."""

import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest

from edge.system import allocator
from edge.system.allocator import ARENAS, SETTINGS, limit_arenas

COUNT = """
import ctypes, sys, threading
from pathlib import Path
from edge.system.allocator import limit_arenas

has_limited = limit_arenas()
all_there = threading.Barrier(8)

def allocate():
    all_there.wait()
    kept.append(bytearray(50_000))
    all_there.wait()

kept = []
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
libc.fclose.argtypes = (ctypes.c_void_p,)
file = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
print(has_limited, Path(sys.argv[1]).read_text().count("<heap nr="))
"""
on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")


def count(path: str, **settings: str) -> tuple[str, int]:
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings
    run = subprocess.run(
        [sys.executable, "-c", COUNT, path], env=environment, capture_output=True, text=True, check=True
    )
    has_limited, arenas = run.stdout.split()
    return has_limited, int(arenas)


@on_glibc
def test_threads_share_a_few_arenas(tmp_path) -> None:
    has_limited, arenas = count(str(tmp_path / "arenas.xml"))
    assert has_limited == "True"
    assert arenas <= ARENAS


@on_glibc
@pytest.mark.parametrize("settings", [{"MALLOC_ARENA_MAX": "1"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}])
def test_a_users_setting_stays(tmp_path, settings: dict[str, str]) -> None:
    assert count(str(tmp_path / "arenas.xml"), **settings) == ("False", 1)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(allocator, "ctypes", SimpleNamespace(CDLL=lambda _name: object()))
    assert not limit_arenas()
