"""Files that are there and may be read, and what is said of all others; some of it as a user who may little."""

import errno
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import FoalError, SourceError, UsageError
from edge.system.files import check_file, check_folder_of, described, is_there, link_described, replacing

ROOT = Path(__file__).parents[3]
NOBODY = 65534
AS_NOBODY = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from edge.errors import FoalError
from edge.system.files import check_file, is_there
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
for path in map(Path, sys.argv[1:]):
    for check in (lambda: check_file(path, "give another"), lambda: is_there(path)):
        try:
            print(check())
        except FoalError as error:
            print(error)
"""

RUN_AS_NOBODY = f"""
import json, os, sys
sys.path.insert(0, {str(ROOT)!r})
from edge.cli.main import run_command

def run(*command):
    sys.argv = ["foal-edge", *command]
    try:
        run_command()
    except SystemExit as ended:
        return ended.code

commands = json.loads(sys.argv[1])
for name in ("bench", "listen", "replay", "score", "status"):
    run(name, "--help")
run("listen", "--keys", "nowhere")
run("--demo", "--fast", "--quiet", "--hop", "6")  # nobody may not read Python's own modules either: load them all
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
for command in commands:
    print("----", file=sys.stderr, flush=True)
    print(run(*command), flush=True)
"""


def test_a_regular_file_passes(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("")
    check_file(path, "give another")
    assert is_there(path)
    assert is_there(tmp_path)


def test_what_is_not_there_is_named_with_what_it_should_be(tmp_path) -> None:
    for path in (tmp_path / "gone.csv", tmp_path / "gone" / "a.csv"):
        with pytest.raises(UsageError, match=f"no such table: {path}; give another"):
            check_file(path, "give another", what="table")
        assert not is_there(path)


def test_every_other_kind_is_named_and_never_opened(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        kinds = {"": "a directory", "pipe": "a pipe", "socket": "a socket", "/dev/null": "a device"}
        for name, kind in kinds.items():
            with pytest.raises(SourceError, match=f"is {kind}, a regular file is expected; give another"):
                check_file(tmp_path / name, "give another", SourceError)


@pytest.mark.parametrize(
    ("name", "reason"), [("x" * 300, "File name too long"), ("loop", "symbolic links"), ("a\0b", "null")]
)
def test_a_name_that_cannot_be_is_said_to_be_none(tmp_path, name: str, reason: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match=f"cannot be read: .*{reason}.*; give another"):
        check_file(tmp_path / name, "give another")
    assert not is_there(tmp_path / name)


@pytest.fixture
def enterable() -> Iterator[Path]:
    """A folder that every user may enter, unlike `tmp_path` and those above it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_who_may_not_read_is_told_so_and_how_to_mend_it(enterable: Path) -> None:
    (enterable / "mine").touch(0o600)
    (enterable / "shut").mkdir(0o700)
    (enterable / "shut" / "inside").touch(0o644)
    paths = [enterable / "mine", enterable / "shut" / "inside"]
    command = [sys.executable, "-c", AS_NOBODY, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    denied = [f"{path}: permission denied; let this user read it and enter the folders above it" for path in paths]
    said = [line.partition(" (chmod")[0] for line in ended.stdout.splitlines()]
    assert said == [denied[0], "True", denied[1], denied[1]]


COMMANDS = [
    (2, "{0}/mine", ["--demo", "--config", "{0}/mine"]),
    (2, "{0}/shut/edge.yaml", ["--demo", "--config", "{0}/shut/edge.yaml"]),
    (2, "{0}/shut/server.key_secret", ["--demo", "--keys", "{0}/shut"]),
    (2, "{0}/shut/client.key_secret", ["listen", "--keys", "{0}/shut", "--timeout", "1"]),
    (2, "{0}/shut/client.key_secret", ["status", "--keys", "{0}/shut"]),
    (2, "{0}/shut/socket", ["--demo", "--bind", "ipc://{0}/shut/socket"]),
    (2, "{0}/shut/socket", ["listen", "--connect", "ipc://{0}/shut/socket", "--timeout", "1"]),
    (2, "{0}/shut/socket", ["status", "--control", "ipc://{0}/shut/socket"]),
    (4, "{0}/shut/manifest.json", ["--demo", "--bundle", "{0}/shut"]),
    (2, "{0}/mine", ["score", "{0}/mine"]),
    (2, "{0}/shut/table.csv", ["score", "{0}/shut/table.csv"]),
    (3, "{0}/mine", ["--file", "{0}/mine", "--bind", "off"]),
    (3, "{0}/shut/a.mp4", ["--file", "{0}/shut/a.mp4", "--bind", "off"]),
    (3, "{0}/shut/session.json", ["replay", "{0}/shut"]),
    (2, "{0}/mine", ["bench", "compare", "{0}/mine", "{0}/mine"]),
]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(
    not all(folder.stat().st_mode & stat.S_IXOTH for folder in (ROOT, *ROOT.parents)),
    reason="this checkout, and the bundle in it, lie in a folder that only its owner may enter",
)
def test_every_command_says_what_it_may_not_read(enterable: Path) -> None:
    (enterable / "mine").touch(0o600)
    (enterable / "shut").mkdir(0o700)
    commands = [[part.format(enterable) for part in command] for _, _, command in COMMANDS]
    ended = subprocess.run(
        [sys.executable, "-c", RUN_AS_NOBODY, json.dumps(commands)],
        capture_output=True, text=True, timeout=300, check=True, cwd=ROOT,
    )  # fmt: skip
    statuses = [int(line) for line in ended.stdout.splitlines() if line.isdecimal()]
    said = ended.stderr.split("----\n")[1:]
    assert "Traceback" not in ended.stderr
    for (status, path, command), found, line in zip(COMMANDS, statuses, said, strict=True):
        assert f"{path.format(enterable)}: permission denied; let this user read it" in line, command
        assert found == status, command


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


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with replacing(path) as part:
        part.write_text("after")
        assert path.read_text() == "before"
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.txt", "after")]


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def write_half() -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        write_half()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.txt", "before")]


def test_a_file_that_the_disk_does_not_take_is_named(tmp_path: Path) -> None:
    reason = r"cannot write .*a\.txt: No such file or directory; give a folder"
    with pytest.raises(FoalError, match=reason), replacing(tmp_path / "gone" / "a.txt") as part:
        part.write_text("")


def test_a_folder_that_is_not_there_is_named_before_the_work(tmp_path: Path) -> None:
    check_folder_of(tmp_path / "answers.csv")
    with pytest.raises(UsageError, match=r"no such folder: .*gone; make it first"):
        check_folder_of(tmp_path / "gone" / "answers.csv")


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    other = "from pathlib import Path\nimport sys\nfrom edge.system.files import replacing\n"
    other += "with replacing(Path(sys.argv[1])) as part:\n    part.write_text('other')\n"
    with replacing(path) as part:
        part.write_text("first half, ")
        subprocess.run([sys.executable, "-c", other, str(path)], check=True, cwd=ROOT)
        assert path.read_text() == "other"
        with part.open("a") as file:
            file.write("second half")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.txt", "first half, second half")]


def test_what_a_killed_writer_left_is_removed_and_a_running_ones_kept(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    for name in (f".a[1].txt.{killed.pid}.part", f".a[1].txt.{os.getppid()}.part", f".b.txt.{killed.pid}.part"):
        (tmp_path / name).write_text("half")
    with replacing(tmp_path / "a[1].txt") as part:
        part.write_text("whole")
    left = {f".a[1].txt.{os.getppid()}.part", f".b.txt.{killed.pid}.part", "a[1].txt"}
    assert {each.name for each in tmp_path.iterdir()} == left


def test_a_disk_that_can_only_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    reason = r"cannot write .*a\.txt: Read-only file system; give a folder"
    with pytest.raises(FoalError, match=reason), replacing(tmp_path / "a.txt") as part:
        part.write_text("")
