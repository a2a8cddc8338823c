"""The page beside a run: a process that ends with it, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import FoalError, UsageError
from edge.view import beside
from edge.view.beside import LOWEST_PRIORITY, ViewProcess, client_folder
from edge.wire.keys import make_client_keys, make_server_keys
from tests.edge.made_messages import WAIT_S

ROOT = Path(__file__).parents[3]
NOBODY = "tcp://127.0.0.1:9"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nicegui", reason="the page needs foal-edge[view]")
    monkeypatch.chdir(ROOT)


def process_of(view: ViewProcess) -> int:
    return view._process.pid


def is_there(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def await_end(process: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while is_there(process):
        assert time.monotonic() < deadline, "the page is still there"
        time.sleep(0.05)


def test_the_page_can_be_opened_and_takes_only_what_the_run_leaves():
    with closing(ViewProcess(NOBODY, None)) as view:
        with urllib.request.urlopen(view.page_address, timeout=WAIT_S) as page:
            assert "foal-edge view" in page.read().decode()
        assert os.getpriority(os.PRIO_PROCESS, process_of(view)) == LOWEST_PRIORITY
        assert os.getsid(process_of(view)) == process_of(view)  # Ctrl-C does not reach it
    assert not is_there(process_of(view))


@pytest.fixture
def run_with_page() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program with a page beside it, and the page's process."""
    code = (
        "from edge.view.beside import ViewProcess; import time\n"
        f"view = ViewProcess({NOBODY!r}, None); print(view._process.pid, flush=True); time.sleep(600)"
    )
    run = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout
    yield run, int(run.stdout.readline())
    run.kill()
    run.communicate()


def test_it_ends_with_a_run_that_is_killed(run_with_page: tuple[subprocess.Popen[str], int]):
    run, page = run_with_page
    run.send_signal(signal.SIGKILL)
    await_end(page)


def test_with_keys_it_needs_its_own(tmp_path: Path):
    keys = tmp_path / "keys"
    make_server_keys(keys)
    with pytest.raises(UsageError, match=r"make them with foal-edge keys .*keys --client view"):
        ViewProcess(NOBODY, keys)
    made = make_client_keys(keys, "view")
    assert client_folder(keys) == made


def test_without_the_library_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(beside, "find_spec", lambda _name: None)
    with pytest.raises(FoalError, match=r"pip install 'foal-edge\[view\]'"):
        ViewProcess(NOBODY, None)
