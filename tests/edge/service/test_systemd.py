"""What systemd receives, over a real datagram socket."""

import os
import resource
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edge.service.systemd import SystemdNotifier

SECOND_NS = 1_000_000_000
STARTED: list[SystemdNotifier] = []


def start(*environment: Mapping[str, str]) -> SystemdNotifier:
    STARTED.append(SystemdNotifier.from_environment(*environment))
    return STARTED[-1]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while STARTED:
        STARTED.pop().close()


class Systemd:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address[0] == "@" else address)
        self._socket.setblocking(False)

    def received(self) -> list[str]:
        """Datagrams are there as soon as they are sent."""
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def environment(self, **more: str) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.address, **more}

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@foal-edge-test-{os.getpid()}"
    systemd = Systemd(address)
    yield systemd
    systemd.close()


def test_ready_comes_with_a_status_of_one_line(systemd) -> None:
    start(systemd.environment()).ready("foal-nano 0.1.0,\npublishing at tcp://127.0.0.1:5556\n")
    assert systemd.received() == ["READY=1\nSTATUS=foal-nano 0.1.0, publishing at tcp://127.0.0.1:5556"]


def test_stopping_is_told(systemd) -> None:
    start(systemd.environment()).stopping()
    assert systemd.received() == ["STOPPING=1"]


@pytest.mark.parametrize("pid", [{}, {"WATCHDOG_PID": str(os.getpid())}], ids=["any", "ours"])
def test_a_sign_of_life_is_sent_twice_as_often_as_asked_for(systemd, pid: dict[str, str]) -> None:
    notifier = start(systemd.environment(WATCHDOG_USEC="4000000", **pid))
    heard = []
    for turn in range(100):  # 10 s in turns of 0.1 s
        notifier.alive(7 * SECOND_NS + turn * SECOND_NS // 10)
        heard += [turn] * len(systemd.received())
    assert heard == [0, 20, 40, 60, 80]


def test_a_sign_of_life_is_one_line(systemd) -> None:
    start(systemd.environment(WATCHDOG_USEC="1")).alive(0)
    assert systemd.received() == ["WATCHDOG=1"]


def test_a_loop_that_hangs_sends_nothing_and_one_that_goes_on_does_at_once(systemd) -> None:
    notifier = start(systemd.environment(WATCHDOG_USEC="2000000"))
    notifier.alive(0)
    notifier.alive(100 * SECOND_NS)
    notifier.alive(100 * SECOND_NS + 1)
    assert systemd.received() == ["WATCHDOG=1"] * 2


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_PID": str(os.getpid())}],
    ids=["not asked for", "another process", "no period"],
)
def test_no_sign_of_life_where_none_is_waited_for(systemd, environment: dict[str, str]) -> None:
    notifier = start(systemd.environment(**environment))
    notifier.ready("here")
    notifier.alive(0)
    assert systemd.received() == ["READY=1\nSTATUS=here"]


@pytest.mark.parametrize("wanted", ["soon", "-1", "0", "", "1.5"])
def test_a_period_that_is_none_is_complained_of(systemd, caplog, wanted: str) -> None:
    notifier = start(systemd.environment(WATCHDOG_USEC=wanted))
    notifier.alive(0)
    assert systemd.received() == []
    assert f"WATCHDOG_USEC {wanted!r}" in caplog.text


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": "1"}])
def test_without_systemd_nothing_is_done(environment: dict[str, str], caplog) -> None:
    notifier = start(environment)
    notifier.ready("here")
    notifier.alive(0)
    notifier.stopping()
    assert caplog.text == ""


def test_the_processs_own_environment_is_read(systemd, monkeypatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    start().stopping()
    assert systemd.received() == ["STOPPING=1"]


def test_an_address_of_another_kind_is_complained_of(caplog) -> None:
    start({"NOTIFY_SOCKET": "vsock:2:1"}).ready("here")
    assert "NOTIFY_SOCKET 'vsock:2:1'" in caplog.text


def test_an_end_that_is_gone_is_complained_of_once_and_tried_each_turn(tmp_path, caplog) -> None:
    address = str(tmp_path / "notify")
    notifier = start({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000"})
    for now_ns in (0, 1, 2):
        notifier.alive(now_ns)
    assert caplog.text.count("cannot send 'WATCHDOG=1' to systemd") == 1
    systemd = Systemd(address)
    notifier.alive(3)
    assert systemd.received() == ["WATCHDOG=1"]
    systemd.close()
    notifier.alive(3 * SECOND_NS)
    assert caplog.text.count("cannot send 'WATCHDOG=1' to systemd") == 2


def test_a_full_queue_blocks_nobody(systemd, caplog) -> None:
    notifier = start(systemd.environment(WATCHDOG_USEC="1"))
    turns = 0
    while not caplog.text:
        notifier.alive(turns * SECOND_NS)
        turns += 1
    assert len(systemd.received()) == turns - 1
    notifier.alive(turns * SECOND_NS)
    assert systemd.received() == ["WATCHDOG=1"]


def test_a_sign_of_life_is_sent_where_no_descriptor_is_left(systemd) -> None:
    notifier = start(systemd.environment(WATCHDOG_USEC="1"))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            os.dup(0)
        notifier.ready("here")
        notifier.alive(0)
        notifier.stopping()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert systemd.received() == ["READY=1\nSTATUS=here", "WATCHDOG=1", "STOPPING=1"]
