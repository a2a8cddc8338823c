"""Addresses that are none, in every form that was tried, and those that are."""

import pytest

from edge.errors import UsageError
from edge.wire.addresses import check_address, check_exposure, control_address, publishing_address, reachable_address
from edge.wire.subscriber import Subscriber

WRONG = {
    "": "begins with neither", "nowhere": "neither tcp:// nor ipc://", "127.0.0.1:5556": "begins with neither",
    "tcp:/127.0.0.1:1": "begins with neither",
    "tcp://": "no port", "tcp://127.0.0.1": "no port", "tcp://[::1]": "no port", "tcp://:": "is not a port",
    "tcp://127.0.0.1:": "is not a port", "tcp://127.0.0.1:-1": "is not a port",
    "tcp://127.0.0.1:78 41": "is not a port", "tcp://127.0.0.1:7841/x": "is not a port",
    "tcp://127.0.0.1:7841 ": "is not a port", "tcp://127.0.0.1:0x1f": "is not a port",
    "tcp://127.0.0.1:1e3": "is not a port", "tcp://127.0.0.1:+1": "is not a port", "tcp://127.0.0.1:٣": "is not a port",
    "tcp://127.0.0.1:99999": "there is no port 99999", "tcp://[::1]:65536": "there is no port 65536",
    "tcp://:5556": "'' is not a host", "tcp://127.0.0.1.1:1": "is not a host", "tcp://300.0.0.1:1": "is not a host",
    "tcp://::1:5556": r"write \[::1\]", "tcp://[::g]:1": "is not a host", "tcp://[127.0.0.1]:1": "is not a host",
    "tcp://me@host:1": "is not a host", "tcp://eth0;host:1": "is not a host", "tcp://a b:1": "is not a host",
    "tcp://-x:1": "is not a host", "ipc://": "no path", f"ipc:///{'x' * 107}": "at most 107 bytes",
    "inproc://": "speaks tcp and ipc, not inproc", "inproc://a": "not inproc", "udp://": "not udp",
    "udp://127.0.0.1:1": "not udp", "ws://*:1": "not ws", "://127.0.0.1:1": "not nothing",
    "TCP://127.0.0.1:1": "not TCP", "pgm://eth0;239.0.0.1:1": "not pgm", "http://127.0.0.1:1": "not http",
}  # fmt: skip
RIGHT = [
    "tcp://127.0.0.1:5556", "tcp://127.0.0.1:65535", "tcp://[::1]:5556", "tcp://[fe80::1%eth0]:1", "tcp://localhost:1",
    "tcp://robot.example.org:7841", "tcp://robot-1_a:7841", "ipc:///run/foal", "ipc://relative", "ipc://@abstract",
]  # fmt: skip
ONLY_TO_BIND = ["tcp://*:5556", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "tcp://eth0:0", "ipc://*"]


@pytest.mark.parametrize(("address", "reason"), WRONG.items())
@pytest.mark.parametrize("binds", [True, False])
def test_what_is_no_address_is_refused_with_the_option_and_a_right_one(binds: bool, address: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        check_address(address, "--bind", binds=binds)
    assert str(refused.value).startswith("--bind ")
    assert address in str(refused.value)
    assert any(remedy in str(refused.value) for remedy in ("give ", "write "))


@pytest.mark.parametrize("address", RIGHT)
def test_what_is_an_address_passes(address: str) -> None:
    assert check_address(address, "--bind", binds=True) is None
    assert check_address(address, "--connect", binds=False) is None


@pytest.mark.parametrize("address", ONLY_TO_BIND)
def test_nobody_connects_to_whatever_is_free(address: str) -> None:
    assert check_address(address, "--bind", binds=True) is None
    with pytest.raises(UsageError):
        check_address(address, "--connect", binds=False)


@pytest.mark.parametrize("address", ["", "nowhere", "tcp://127.0.0.1:-1", "tcp://*:1", "inproc://"])
def test_a_subscriber_says_so_too(address: str) -> None:
    with pytest.raises(UsageError, match="address"):
        Subscriber(address)


COMMANDS = [
    ("--demo", "--bind"), ("--demo", "--bind", "off", "--control"), ("listen", "--connect"), ("status", "--control"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("address", ["", "tcp://127.0.0.1:78 41", "inproc://", "udp://", "tcp://[::1]:99999"])
def test_every_command_ends_with_status_2(edge_command, command: tuple[str, ...], address: str) -> None:
    ended = edge_command(*command, address)
    assert ended.status == 2
    assert ended.err.startswith("foal-edge: ")
    assert "Traceback" not in ended.err
    assert repr(address) in ended.err or address in ended.err


@pytest.mark.parametrize(
    ("bind", "fast", "expected"),
    [
        ("auto", False, "tcp://127.0.0.1:5556"),
        ("auto", True, None),
        ("off", False, None),
        ("tcp://127.0.0.1:1", True, "tcp://127.0.0.1:1"),
    ],
)
def test_where_to_publish(bind: str, fast: bool, expected: str | None) -> None:
    assert publishing_address(bind, fast) == expected


@pytest.mark.parametrize(
    ("bind", "wanted", "expected"),
    [
        ("tcp://127.0.0.1:5556", "auto", "tcp://127.0.0.1:5557"),
        ("tcp://[::1]:5556", "auto", "tcp://[::1]:5557"),
        ("tcp://*:5556", "auto", "tcp://*:5557"),
        ("tcp://127.0.0.1:*", "auto", "tcp://127.0.0.1:*"),
        ("tcp://127.0.0.1:0", "auto", "tcp://127.0.0.1:*"),
        ("ipc:///run/foal", "auto", "ipc:///run/foal.control"),
        ("ipc://*", "auto", "ipc://*"),
        (None, "auto", None),
        (None, "tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ("tcp://127.0.0.1:5556", "off", None),
        ("tcp://127.0.0.1:5556", "ipc:///run/other", "ipc:///run/other"),
    ],
)
def test_where_it_answers(bind: str | None, wanted: str, expected: str | None) -> None:
    assert control_address(bind, wanted) == expected


def test_there_is_no_port_after_the_last() -> None:
    with pytest.raises(UsageError, match=r"no port after that of tcp://127.0.0.1:65535 .* --control"):
        control_address("tcp://127.0.0.1:65535", "auto")


LOCAL = [
    "tcp://127.0.0.1:5556", "tcp://127.8.9.1:*", "tcp://localhost:1", "tcp://[::1]:5556", "ipc:///tmp/a", "ipc://*",
]  # fmt: skip
PUBLIC = [
    "tcp://0.0.0.0:5556", "tcp://*:5556", "tcp://[::]:5556", "tcp://192.168.1.2:1", "tcp://eth0:1", "tcp://robot:1",
    "tcp://localhost.example:1", "tcp://127.0.0.1.example:1", "tcp://[fe80::1]:1", "tcp://:1", "tcp://", "ws://*:1",
    "udp://0.0.0.0:1", "TCP://*:1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_needs_keys_or_the_users_word(address: str) -> None:
    with pytest.raises(UsageError, match=r"--keys DIR .* or --insecure"):
        check_exposure(address, is_allowed=False)
    assert check_exposure(address, is_allowed=True) is None


@pytest.mark.parametrize("address", LOCAL)
def test_an_address_of_this_machine_needs_nothing(address: str) -> None:
    assert check_exposure(address, is_allowed=False) is None


@pytest.mark.parametrize(
    ("bound", "reachable"),
    [
        ("tcp://0.0.0.0:5556", "tcp://127.0.0.1:5556"),
        ("tcp://*:5556", "tcp://127.0.0.1:5556"),
        ("tcp://[::]:5556", "tcp://[::1]:5556"),
        ("tcp://10.0.0.7:5556", "tcp://10.0.0.7:5556"),
        ("ipc:///run/foal", "ipc:///run/foal"),
    ],
)
def test_what_is_bound_everywhere_is_reached_by_loopback(bound: str, reachable: str):
    assert reachable_address(bound) == reachable
