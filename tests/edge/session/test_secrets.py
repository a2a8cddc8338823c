"""Whole runs with a secret in what they are told to open: it is in nothing that they say, log, record or answer."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge.wire.control_client import ControlClient
from edge.wire.control_messages import AskStatus, StatusReply
from edge.wire.messages import Status
from edge.wire.subscriber import Subscriber
from tests.edge.recording.made_recordings import kept_in
from tests.edge.sources.silent import silent_server

ROOT = Path(__file__).parents[3]
SECRET = "s3cr3t"
ADDRESSES = [
    "rtsp://user:s3cr3t@127.0.0.1:{}/live", "RTSP://s3cr3t@127.0.0.1:{}", "http://user:p@s3cr3t/s3cr3t?s3cr3t@127.0.0.1:{}/x",
    "http://127.0.0.1:{}/v?user=s3cr3t&password=s3cr3t&channel=1", "rtsp://127.0.0.1:{}/user=s3cr3t&password=s3cr3t&channel=1",
    "https://127.0.0.1:{}/v?access_token=s3cr3t#s3cr3t=s3cr3t", "rtmp://127.0.0.1:{}/app?key=s3cr3t", "tcp://s3cr3t@127.0.0.1:{}",
    "srt://127.0.0.1:{}?mode=caller&passphrase=s3cr3t-and-more", "foo://user:s3cr3t@127.0.0.1:{}/x",
]  # fmt: skip
PIPELINES = [
    'rtspsrc location=rtsp://user:s3cr3t@127.0.0.1:{}/x user-id=s3cr3t user-pw="s3cr3t" ! decodebin ! appsink',
    "souphttpsrc location=http://127.0.0.1:{} user-pw=s3cr3t ! nonsense",
]


@pytest.fixture(scope="module")
def refusing() -> int:
    with silent_server() as port:
        pass
    return port


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("option", "spec"), [
    *(("--camera", spec) for spec in [*ADDRESSES, *PIPELINES]), *(("--file", spec) for spec in ADDRESSES),
])  # fmt: skip
def test_what_cannot_be_opened_is_said_without_it(
    edge_command, refusing: int, option: str, spec: str, log_format: str
) -> None:
    given = spec.format(refusing)
    ended = edge_command(option, given, "--mic", "off", "--bind", "off", "--verbose", "--log-format", log_format)
    assert ended.status == 3
    assert str(refusing) in ended.err
    assert "***" in ended.err
    assert SECRET not in ended.err + ended.out


MISTAKES = [
    ["{}"], ["--stream", "name=a,camera={},mike=off"], ["--demo", "--file", "{}"], ["--config", "{}"],
    ["--camra", "{}"], ["--stream", "{}"], ["--stream", "name={}"], ["listen", "--connect", "{}"],
    ["--demo", "--bind", "{}"],
    ["devices", "--file", "{}"], ["score", "{}"], ["--bundle", "{}", "--demo"], ["--hop", "{}"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_in_the_options_does_not_tell_it(edge_command, arguments: list[str]) -> None:
    ended = edge_command(*(argument.format("rtsp://user:s3cr3t@cam/live?password=s3cr3t") for argument in arguments))
    assert ended.status in (2, 4)
    assert ended.err
    assert SECRET not in ended.err + ended.out


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_run_that_goes_on_without_its_camera_keeps_it_to_itself(tmp_path, log_format: str) -> None:
    with silent_server() as port:
        camera = f"rtsp://user:p@s3cr3t/s3cr3t@127.0.0.1:{port}/live?password=s3cr3t&channel=1"
        arguments = [
            "--stream", "name=clip,demo=true", "--stream", f"name=door,camera={camera},mic=off", "--threads", "1",
            "--record", str(tmp_path / "kept"), "--bind", f"ipc://{tmp_path}/p", "--control", f"ipc://{tmp_path}/c",
            "--verbose", "--log-format", log_format,
        ]  # fmt: skip
        command = [sys.executable, "-m", "edge", *arguments]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                with Subscriber(f"ipc://{tmp_path}/p") as messages:
                    heard = [messages.receive(60)]
                    while not (isinstance(heard[-1], Status) and heard[-1].stream == "door"):
                        heard.append(messages.receive(60))
                with ControlClient(f"ipc://{tmp_path}/c", timeout_s=60) as control:
                    answered = control.ask(AskStatus(), StatusReply)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 0
    assert f"camera rtsp://***@127.0.0.1:{port}/live?password=***&channel=1" in err
    (path,) = (tmp_path / "kept").rglob("*.mcap")
    recorded = json.dumps(kept_in(path))  # the file itself is compressed
    assert '"door"' in recorded
    kept = [path.read_bytes(), recorded.encode()]
    said = [out.encode(), err.encode(), msgspec.json.encode(answered), *map(msgspec.json.encode, heard), *kept]
    assert not any(SECRET.encode() in part for part in said)
