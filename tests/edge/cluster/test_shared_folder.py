"""Files that another machine does not see, or sees otherwise, are named."""

from pathlib import Path
from threading import Timer

import pytest

from edge.cluster import shared_folder
from edge.cluster.shared_folder import check_recording, size_of, wait_until_seen
from edge.errors import FoalError, UsageError


def test_a_file_is_the_same_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    assert size_of(path) is None
    check_recording(path, None)
    with pytest.raises(UsageError, match=r"talk.mp4 has 3 bytes where the command was given, it is not to be seen"):
        check_recording(path, 3)
    path.write_bytes(b"abcd")
    check_recording(path, size_of(path))
    with pytest.raises(UsageError, match=r"here it has 4; .* must lie in folders that all machines share"):
        check_recording(path, 3)


def test_what_a_worker_has_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Timer(0.05, (tmp_path / "late").touch).start()
    wait_until_seen(tmp_path / "late")
    monkeypatch.setattr(shared_folder, "SEEN_S", 0.0)
    with pytest.raises(FoalError, match="never, which is not to be seen here"):
        wait_until_seen(tmp_path / "never")
