"""stdin, stdout and stderr that are closed or full, before a real program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import UsageError

ROOT = Path(__file__).parent.parent.parent.parent
FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")


def shell(redirections: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-m", "edge", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@FULL
def test_what_ends_the_program_keeps_its_status_where_stderr_is_full() -> None:
    assert shell("2>/dev/full", "doctor", "/nowhere").returncode == 4
    assert shell("2>/dev/full", "--nonsense").returncode == UsageError.exit_status


@FULL
def test_what_is_printed_is_printed_where_stderr_is_full() -> None:
    done = shell("2>/dev/full", "--demo", "--fast", "--threads", "1", "--bind", "tcp://127.0.0.1:*")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].endswith("  main  stopped")


@FULL
@pytest.mark.parametrize("arguments", [["devices"], ["--help"], ["--version"], ["listen", "--help"]])
def test_what_cannot_be_printed_is_an_error_in_words(arguments: list[str]) -> None:
    done = shell(">/dev/full", *arguments)
    assert done.returncode == 1
    assert "foal-edge: cannot print: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("redirections", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_none_that_is_missed(redirections: str) -> None:
    assert shell(redirections, "devices").returncode == 0
    assert shell(redirections, "doctor", "/nowhere").returncode == 4


def test_what_is_opened_next_does_not_become_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "from edge.system.standard_streams import open_closed_streams; import os; open_closed_streams(); "
        f"file = open({str(tmp_path / 'kept')!r}, 'w'); os.write(2, b'from a library'); file.write('ours')"
    )
    subprocess.run(["/bin/sh", "-c", 'exec "$@" 2>&- >&- <&-', "sh", sys.executable, "-c", code], cwd=ROOT, check=True)
    assert (tmp_path / "kept").read_text() == "ours"


def test_no_home_is_needed() -> None:
    command = [sys.executable, "-m", "edge", "doctor", "edge/models/foal-nano", "--threads", "1"]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert (done.returncode, "foal-nano" in done.stdout) == (0, True)
