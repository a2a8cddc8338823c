"""`foal-edge status`, as it is typed."""

import json
from collections.abc import Iterator

import pytest
from rich.console import Console

from edge.cli.lines import describe_load
from edge.cli.status import status_report
from edge.fleet.member import Member
from edge.wire.clock_offset import ClockOffset
from edge.wire.control_messages import StatusReply
from edge.wire.control_server import ControlServer
from tests.edge.made_messages import ANY_PORT, PREDICTION, STATS, STATUS, numbered

NOBODY = "tcp://127.0.0.1:9"
LAST = [STATUS, STATS, *(numbered(n, PREDICTION, stream=f"cam{n}") for n in range(1, 4))]


@pytest.fixture
def control(clock) -> Iterator[ControlServer]:
    control = ControlServer(ANY_PORT, {"bundle": "tiny 0.0.1", "session": "ab"}, lambda: LAST, clock, None)
    yield control
    control.close()


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (f"status --control {NOBODY} --timeout 0.01", 3, f"no answer from {NOBODY} within 0.01 s"),
        ("status --control nowhere", 2, "no such address: nowhere"),
        ("status --timeout 0", 2, "--timeout"),
        ("status --keys nowhere", 2, "no keys at nowhere/client.key_secret"),
    ],
)
def test_bad_input_ends_with_its_status_and_one_paragraph(
    edge_command, tmp_path, monkeypatch, arguments: str, status: int, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    ended = edge_command(*arguments.split())
    assert ended.status == status
    assert reason in ended.err
    assert is_one_paragraph(ended.err)


def test_status_tells_what_runs(edge_command, control) -> None:
    ended = edge_command("status", "--control", control.address)
    lines = ended.out.splitlines()
    assert ended.status == 0
    assert lines[:2] == ["bundle   tiny 0.0.1", "session  ab"]
    row = next(line for line in lines if "cam1" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == [
        "cam1", "online", "ok", "off", "0.5", "frames_overload 2",
    ]  # fmt: skip
    assert "busy 25%" in lines[-1]
    assert "dropped windows_late 1" in lines[-1]


def test_status_as_json_is_the_reply(edge_command, control) -> None:
    document = json.loads(edge_command("status", "--control", control.address, "--json").out)
    assert document["about"] == {"bundle": "tiny 0.0.1", "session": "ab"}
    assert [stream["state"] for stream in document["streams"]] == ["online"]
    assert document["stats"]["predictions"] == 8


@pytest.mark.parametrize(("late_s", "status"), [(2.9, 0), (3.1, 3)])
def test_a_run_that_answers_but_publishes_nothing_is_an_error(edge_command, control, clock, late_s, status) -> None:
    clock.time_ns = STATS.mono_publish + round(late_s * 1e9)
    ended = edge_command("status", "--control", control.address, "--max-age", "3")
    assert ended.status == status
    assert ("published nothing for 3.1 s, more than --max-age 3" in ended.err) == (status == 3)


def test_a_report_says_what_runs_a_row_per_stream_and_the_load() -> None:
    about = {"bundle": "tiny 0.0.1", "pid": "7"}
    first, second, table, last = status_report(StatusReply(about, [STATUS, numbered(2, stream="cam2")], STATS))
    assert [first, second, last] == ["bundle  tiny 0.0.1", "pid     7", describe_load(STATS)]
    console = Console(width=120, file=None)
    with console.capture() as captured:
        console.print(table)
    lines = [row for row in captured.get().splitlines() if "cam" in row]
    rows = [[cell.strip() for cell in row.strip("│ ").split("│")] for row in lines]
    assert rows == [[name, "online", "ok", "off", "0.5", "frames_overload 2"] for name in ("cam1", "cam2")]
    *_, table, _ = status_report(StatusReply({}, [numbered(1, people=[1, 7]), numbered(1, people=[3])], STATS))
    assert list(table.columns[3].cells) == ["off, 2 people", "off, 1 person"]
    *_, last = status_report(StatusReply({}, [], None))
    assert str(last).startswith("no figures yet")


def test_a_proxy_tells_of_its_nodes_in_place_of_the_load() -> None:
    healthy, lost = Member("a", "tcp://a:1"), Member("b")
    for member, at_s in ((healthy, 9.0), (lost, 4.0)):
        member.check_session("ab", at_s)
    healthy.set_clock(ClockOffset(0, 2_500_000_000, 1))
    lost.refused["wrong_topic"] = 3
    reply = StatusReply({"proxy": "p"}, [STATUS], None, [healthy.state(10.0), lost.state(10.0)])
    *_, table = status_report(reply)
    console = Console(width=160, file=None)
    with console.capture() as captured:
        console.print(table)
    rows = [[cell.strip() for cell in row.strip("│ ").split("│")] for row in captured.get().splitlines()[3:-1]]
    assert rows == [
        ["a", "online", "0", "0", "nothing", "-", "+2.500", "its clock is +2.500 s off"],
        ["b", "lost for 6 s", "0", "0", "wrong_topic 3", "-", "-", "-"],
    ]
