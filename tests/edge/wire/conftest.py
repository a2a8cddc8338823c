"""A folder of keys that several modules share."""

from pathlib import Path

import pytest

from edge.wire.keys import make_client_keys, make_server_keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_server_keys(tmp_path / "keys")
    make_client_keys(tmp_path / "keys", "robot")
    return tmp_path / "keys"
