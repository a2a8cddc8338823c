"""What a worker of a cluster refuses, and what it does not do again."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from edge.annotation.cluster_worker import PROCESSES, SharedJob, There, annotate_there, check_settings, end_there
from edge.annotation.protocol import Begin, Done, Job, Ready
from edge.cluster.shared_folder import size_of
from edge.errors import UsageError
from edge.session.config import Config


@pytest.fixture
def there(settings: Config, tmp_path: Path) -> Iterator[There]:
    yield There("this test", Begin(settings, 1), bytes(tmp_path))
    end_there("this test")


def job(recording: Path, stem: str, *formats: str) -> bytes:
    return msgspec.json.encode(SharedJob(Job.of(recording, Path(stem), list(formats)), size_of(recording)))


def test_a_recording_is_annotated_once_with_the_process_kept(there: There, film: Path, tmp_path: Path) -> None:
    with PROCESSES.one(there) as (first, ready):
        settings = msgspec.json.encode(ready.settings)
    message = msgspec.json.encode(there)
    (tmp_path / "out").mkdir()
    done = [annotate_there(message, settings, job(film, "out/talk", "csv"))[-1] for _ in range(2)]
    ends = [msgspec.json.decode(each, type=Done | Ready) for each in done]
    assert [type(end) for end in ends] == [Done, Done]
    assert ends[0].rows == ends[1].rows > 0
    assert ends[0].took_s > 0 == ends[1].took_s
    with PROCESSES.one(there) as (kept, _):
        assert kept is first
    with PROCESSES.one(replace(there, session="another")) as (other, _):
        assert other is not first
        assert first.has_ended
    end_there("another")
    assert other.has_ended


def test_a_recording_of_another_size_is_not_the_same(there: There, film: Path) -> None:
    other = msgspec.json.encode(SharedJob(Job.of(film, Path("out/talk"), ["csv"]), 7))
    with pytest.raises(UsageError, match=r"talk.mkv has 7 bytes where the command was given, here it has \d+"):
        annotate_there(msgspec.json.encode(there), b"{}", other)


def test_other_settings_than_the_first_workers_are_refused() -> None:
    check_settings(b"{}", b"{}")
    with pytest.raises(UsageError, match="give --backend and --bundle something that all have"):
        check_settings(b'{"backend":"onnxruntime-cpu"}', b'{"backend":"tensorrt"}')
