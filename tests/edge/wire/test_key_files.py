"""Key files: their permissions, and what is damaged."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.wire.keys import load_client_keys, load_server_keys, make_client_keys, make_server_keys

SERVICE = 10001
READ_AS_SERVICE = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from edge.errors import FoalError
from edge.wire.keys import load_server_keys
os.setgroups([])
os.setgid({SERVICE})
os.setuid({SERVICE})
try:
    load_server_keys(Path(sys.argv[1]))
    print("read")
except FoalError as error:
    print(error)
"""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666, 0o777, 0o620])
def test_a_secret_that_others_can_read_is_refused_with_the_remedy(folder, mode: int) -> None:
    (folder / "server.key_secret").chmod(mode)
    with pytest.raises(UsageError) as refused:
        load_server_keys(folder)
    assert f"mode {mode:04o}" in str(refused.value)
    assert f"chmod 600 {folder / 'server.key_secret'}" in str(refused.value)
    (folder / "server.key_secret").chmod(0o400)
    assert load_server_keys(folder).secret


def test_a_clients_secret_that_others_can_read_is_refused_too(folder) -> None:
    mine = folder / "hand-out" / "robot"
    (mine / "client.key_secret").chmod(0o640)
    with pytest.raises(UsageError, match=r"mode 0640.*chmod 600"):
        load_client_keys(mine)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
@pytest.mark.parametrize(
    ("owner", "mode", "said"),
    [(0, 0o440, "read"), (0, 0o460, "open to"), (0, 0o444, "open to"), (SERVICE, 0o440, "open to")],
)
def test_a_secret_of_roots_may_be_handed_over_by_its_group(owner: int, mode: int, said: str) -> None:
    with tempfile.TemporaryDirectory() as room:
        make_server_keys(Path(room))
        for path in (Path(room), *Path(room).iterdir()):
            os.chown(path, owner, SERVICE)
            path.chmod(0o750 if path.is_dir() else 0o644)
        (Path(room) / "server.key_secret").chmod(mode)
        command = [sys.executable, "-c", READ_AS_SERVICE, room]
        assert said in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_secret_files_are_their_owners_alone(folder) -> None:
    before = os.umask(0)
    try:
        make_client_keys(folder, "open")
    finally:
        os.umask(before)
    secrets = sorted(folder.rglob("*.key_secret"))
    assert [path.name for path in secrets] == ["client.key_secret", "client.key_secret", "server.key_secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert all("secret" not in path.read_text() for path in folder.rglob("*.key"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no keys at"),
        ("", "No public key"),
        ('curve\n    public-key = "short"\n    secret-key = "short"\n', "5 characters, not 40"),
        (f'curve\n    public-key = "{"~" * 40}"\n    secret-key = "{"0" * 40}"\n', "cannot be read"),
        (f'curve\n    public-key = "{"0" * 40}"\n', "holds no secret key"),
    ],
)
@pytest.mark.parametrize("load", [load_server_keys, load_client_keys])
def test_missing_and_damaged_keys_are_named(tmp_path, load, text: str | None, reason: str) -> None:
    name = "server" if load is load_server_keys else "client"
    if text is not None:
        (tmp_path / f"{name}.key_secret").write_text(text)
    with pytest.raises(UsageError, match=reason) as refused:
        load(tmp_path)
    assert str(tmp_path / f"{name}.key_secret") in str(refused.value)
    assert "foal-edge keys" in str(refused.value)


@pytest.mark.parametrize("load", [load_server_keys, load_client_keys])
def test_a_pipe_in_place_of_keys_is_not_waited_for(tmp_path, load) -> None:
    for name in ("server", "client"):
        os.mkfifo(tmp_path / f"{name}.key_secret")
    with pytest.raises(UsageError, match=r"key_secret is a pipe, a regular file is expected"):
        load(tmp_path)
