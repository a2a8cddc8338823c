"""`foal-edge view`, as it is typed; what the page shows is tested in tests/edge/view."""

from pathlib import Path

import pytest

from edge.cli.view import make_runtimes
from edge.errors import UsageError
from edge.wire.keys import make_client_keys, make_server_keys

ONE, TWO = "tcp://127.0.0.1:5556", "tcp://robot:5556"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("view --connect nowhere", "begins with neither tcp:// nor ipc://"),
        (f"view --connect {ONE} --connect {ONE}", "is given 2 times; give it once"),
        ("view --port 65536", "--port"),
        ("view --keys nowhere", "no keys at nowhere/client.key_secret"),
        (f"view --connect {ONE} --keys a --keys b", "2 --keys for 1 --connect"),
    ],
)
def test_bad_input_ends_with_status_2_and_says_why(edge_command, arguments: str, reason: str):
    ended = edge_command(*arguments.split())
    assert ended.status == 2
    assert reason in ended.err


def test_a_port_that_is_taken_says_so(edge_command):
    from edge.view.listening import listen

    pytest.importorskip("nicegui", reason="the page needs foal-edge[view]")
    with listen(0) as taken:
        ended = edge_command("view", "--port", taken.getsockname()[1])
    assert ended.status == 5
    assert "give another --port, or 0" in ended.err


def test_without_the_library_the_remedy_is_said(edge_command, monkeypatch):
    monkeypatch.setattr("edge.view.beside.find_spec", lambda _name: None)
    ended = edge_command("view")
    assert ended.status == 1
    assert "pip install 'foal-edge[view]'" in ended.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Keys of one client."""
    make_server_keys(tmp_path / "keys")
    return make_client_keys(tmp_path / "keys", "desk")


def test_keys_are_for_all_addresses_or_for_each(folder: Path):
    assert [each.has_keys for each in make_runtimes([ONE, TWO], [])] == [False, False]
    assert [each.has_keys for each in make_runtimes([ONE, TWO], [folder])] == [True, True]
    assert [each.has_keys for each in make_runtimes([ONE, TWO], [Path("off"), folder])] == [False, True]
    with pytest.raises(UsageError, match="3 --keys for 2 --connect"):
        make_runtimes([ONE, TWO], [folder] * 3)
