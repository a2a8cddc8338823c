"""Where a run's messages go: what is opened, what is refused, who sees each message."""

import stat
import threading
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.bundle.load import SHIPPED, load
from edge.clock import SystemClock
from edge.errors import PublishError, UsageError
from edge.live.inbox import LoopInput
from edge.live.suspension import SuspensionWatch
from edge.recording.metadata import file_name
from edge.recording.reader import has_inputs, read_messages, read_metadata
from edge.session.config import Config
from edge.session.outputs import Outputs
from edge.wire.control_client import ControlClient
from edge.wire.control_messages import AskStatus, StatusReply
from edge.wire.keys import make_server_keys
from edge.wire.messages import SCHEMA, CameraPicture, Status
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import PICTURE
from tests.edge.made_run import MS, run_spec

CLOCK = SystemClock()
METADATA = {"session": "0" * 32, "bundle": "foal-nano 0.1.0", "backend": "numpy"}


def status(seq: int) -> Status:
    return Status(SCHEMA, "0" * 32, "lobby", seq, 0, 7, "online", "ok", "ok", 0.5, {})


def opened(tmp_path: Path, seen: list[Any] | None = None, **changes: Any) -> Outputs:
    config = Config(bind=f"ipc://{tmp_path}/publisher", **changes)
    on_sent = seen.append if seen is not None else (lambda message: None)
    return Outputs(config, METADATA, CLOCK, SuspensionWatch(CLOCK), threading.Event(), on_sent)


def test_a_message_is_seen_once_it_is_out_with_its_time(tmp_path: Path) -> None:
    seen: list[Any] = []
    with closing(opened(tmp_path, seen)) as outputs:
        outputs.publisher.publish(status(0))
    assert [(message.seq, message.mono_publish > 7) for message in seen] == [(0, True)]


@pytest.mark.parametrize("fast", [False, True])
def test_without_an_address_messages_are_seen_and_no_port_is_taken(tmp_path: Path, fast: bool) -> None:
    seen: list[Any] = []
    config = Config(bind="auto" if fast else "off", fast=fast)
    with closing(Outputs(config, METADATA, CLOCK, SuspensionWatch(CLOCK), threading.Event(), seen.append)) as outputs:
        assert outputs.publisher.address is None
        outputs.publisher.publish(status(0))
        outputs.publisher.publish_each(status(1))
    assert [message.seq for message in seen] == [0, 1]
    assert not [thread for thread in threading.enumerate() if thread.name == "control"]


def test_a_control_port_of_its_own_answers_where_nothing_is_published(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/control"
    config = Config(bind="off", control=address)
    with closing(Outputs(config, METADATA, CLOCK, SuspensionWatch(CLOCK), threading.Event(), list)) as outputs:
        outputs.publisher.publish_each(status(0))
        with ControlClient(address, timeout_s=20) as control:
            reply = control.ask(AskStatus(), StatusReply)
    assert reply.about["publishing"] == "off"


def test_of_recordings_as_quick_as_possible_the_times_stay(tmp_path: Path) -> None:
    seen: list[Any] = []
    with closing(opened(tmp_path, seen, fast=True)) as outputs:
        outputs.publisher.publish(status(0))
    assert [message.mono_publish for message in seen] == [7]


def test_the_metrics_page_sees_each_message(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO")
    with closing(opened(tmp_path, metrics_port=0)) as outputs:
        outputs.publisher.publish_each(status(0))
        address = next(r.getMessage() for r in caplog.records if "metrics at" in r.getMessage()).split()[-1]
        until_s = time.monotonic() + 60
        while b'stream="lobby"' not in (page := urllib.request.urlopen(address).read()):
            assert time.monotonic() < until_s
    assert b'foal_stream_state{state="online",stream="lobby"} 1.0' in page


def test_pictures_are_seen_by_subscribers_alone(tmp_path: Path) -> None:
    seen: list[Any] = []
    with closing(opened(tmp_path, seen, record=str(tmp_path / "kept"))) as outputs:
        outputs.record(run_spec("lobby"), load(SHIPPED))
        outputs.publisher.publish_each(status(0))
        outputs.publisher.publish_each(PICTURE)
        with Subscriber(outputs.publisher.address, topic="picture.") as subscriber:
            received = subscriber.receive(60)
    assert isinstance(received, CameraPicture)
    assert received.jpeg == PICTURE.jpeg
    age_ns = received.mono_publish - received.mono_capture
    assert received.t_publish - received.t_capture == pytest.approx(age_ns, abs=1e6)  # two readings of the wall clock
    assert [type(message) for message in seen] == [Status]
    (folder,) = (tmp_path / "kept").iterdir()
    assert [type(record).__name__ for record in read_messages(folder)] == ["SentMessage", "End"]


def test_a_page_beside_the_run_shows_what_is_published(tmp_path: Path) -> None:
    pytest.importorskip("nicegui", reason="the page needs foal-edge[view]")
    with closing(opened(tmp_path, view=True)) as outputs:
        assert outputs.page_address is not None
        assert b"foal-edge view" in urllib.request.urlopen(outputs.page_address, timeout=60).read()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(outputs.page_address)


def test_nothing_is_recorded_unless_it_is_asked_for(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as outputs:
        on_input = outputs.record(run_spec("lobby"), load(SHIPPED))
        on_input(LoopInput(0, 0, 500 * MS, [], [{}]))
        outputs.publisher.publish_each(status(0))
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == set()


@pytest.mark.parametrize("media", [False, True])
def test_a_recording_is_its_owners_and_holds_what_was_asked_for(tmp_path: Path, media: bool) -> None:
    kept = tmp_path / "kept"
    with closing(opened(tmp_path, record=str(kept), record_media=media)) as outputs:
        on_input = outputs.record(run_spec("lobby"), load(SHIPPED))
        on_input(LoopInput(0, 0, 500 * MS, [], [{}]))
        outputs.publisher.publish_each(status(0))
        outputs.publisher.publish_each(status(1))
    (folder,) = kept.iterdir()
    assert [path.name for path in folder.iterdir()] == [file_name(0)]
    assert has_inputs(folder) == media
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert read_metadata(folder).bundle.name == "foal-nano"
    assert [type(record).__name__ for record in read_messages(folder)] == ["SentMessage", "SentMessage", "End"]


@pytest.mark.parametrize("field", ["bind", "control"])
def test_a_public_address_needs_keys_or_a_word(tmp_path: Path, field: str) -> None:
    addresses = {"bind": f"ipc://{tmp_path}/publisher", "control": "off", field: "tcp://0.0.0.0:*"}
    with pytest.raises(UsageError, match="--insecure"):
        Outputs(Config(**addresses), METADATA, CLOCK, SuspensionWatch(CLOCK), threading.Event(), lambda message: None)
    keys = tmp_path / "keys"
    make_server_keys(keys)
    for said in ({"keys": str(keys)}, {"insecure": True}):
        config = msgspec.structs.replace(Config(**addresses), **said)
        Outputs(config, METADATA, CLOCK, SuspensionWatch(CLOCK), threading.Event(), lambda message: None).close()


def test_where_one_cannot_be_had_the_others_are_closed_again(tmp_path: Path) -> None:
    with closing(opened(tmp_path)), pytest.raises(PublishError, match="publisher"):
        opened(tmp_path / ".", control="off")
    for _ in range(2):
        with pytest.raises(PublishError):
            opened(tmp_path, control="ipc:///nowhere/at/all")
    opened(tmp_path).close()
