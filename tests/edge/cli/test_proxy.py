"""`foal-edge proxy`, as it is typed, and the other commands through it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.edge.fleet.made_fleet import MadeNode, await_that, fleet
from tests.edge.made_messages import ANY_PORT, EVENT, PREDICTION, STATS, STATUS, WAIT_S, numbered

ROOT = Path(__file__).parents[3]


def is_one_paragraph(text: str) -> bool:
    said = text.rpartition("\n\nError: ")[2].strip()  # click puts its usage above
    return bool(said) and "\n\n" not in said and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ("", 2, "a proxy of no nodes has nothing to do; give --from ADDRESS of each node, or --nodes ADDRESS"),
        ("--from nowhere", 2, "--from nowhere begins with neither tcp:// nor ipc://"),
        ("--from tcp://10.0.0.1:5556", 2, "the node has no name"),
        ("--from tcp://a:1 --from a=tcp://b:1", 2, "2 nodes are called 'a'"),
        ("--from tcp://a:1 --bind tcp://*:5556", 2, "can be reached from other machines"),
        ("--from tcp://a:1 --to tcp://b:1", 2, "messages would go there unencrypted"),
        ("--nodes tcp://127.0.0.1:1 --to tcp://127.0.0.1:2", 2, "leave out --nodes"),
        ("--from tcp://a:1 --keys nowhere", 2, "no keys at nowhere/server.key_secret"),
        ("--from tcp://a:1 --metrics-port 65536", 2, "--metrics-port"),
    ],
)
def test_bad_input_ends_with_its_status_and_one_paragraph(
    edge_command, tmp_path, monkeypatch, arguments: str, status: int, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = edge_command("proxy", *arguments.split())
    assert ended.status == status
    assert reason in re.sub(r"\s+", " ", ended.err)
    assert is_one_paragraph(ended.err)


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "edge", "proxy", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_says_where_it_publishes_serves_metrics_and_ends_at_ctrl_c() -> None:
    node = MadeNode("lobby")
    source = f"lobby={node.publisher.address},control={node.control.address}"
    with started("--from", source, "--bind", ANY_PORT, "--control", ANY_PORT, "--metrics-port", "0") as process:
        port = re.search(r"metrics at http://127.0.0.1:(\d+)/", process.stderr.readline())
        assert port is not None
        assert re.fullmatch(r"publishing at tcp://127.0.0.1:\d+, of lobby\n", process.stderr.readline())
        node.publish(STATUS)

        def is_online() -> bool:
            with urlopen(f"http://127.0.0.1:{port[1]}/metrics") as page:
                return b'foal_node_state{node="lobby",state="online"} 1.0' in page.read()

        await_that(is_online, "the node is online")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
    node.close()
    assert process.returncode == 0
    assert re.fullmatch(r"1 of 1 nodes online, \d+ messages/s\n", err)


def test_listen_and_status_show_the_nodes(edge_command) -> None:
    with fleet("a", "b", control=ANY_PORT) as (nodes, proxy):
        for node in nodes:
            node.publish(PREDICTION, EVENT, STATUS, STATS)
        await_that(lambda: [state.received for state in proxy.states()] == [4, 4], "the proxy hears both")
        heard = edge_command("listen", "--connect", proxy.address, "--topic", "emotion.", "--count", "2", "--json")
        assert {json.loads(line)["stream"] for line in heard.out.splitlines()} == {"a/cam1", "b/cam1"}
        lines = edge_command("listen", "--connect", proxy.address, "--count", "2", "--plain", "--stats").out
        assert all(f"  {name}/cam1  glad" in lines for name in "ab")
        assert "2 predictions, 0 missed" in lines
        status = edge_command("status", "--control", proxy.control_address).out
        assert re.search(r"a/cam1 +│ online", status)
        assert re.search(r"│ b +│ online +│ 4 ", status)


def test_a_bridge_hands_on_what_comes_through_it() -> None:
    pytest.importorskip("pythonosc", reason="pip install 'foal-edge[osc]'")
    with fleet("a", "b") as (nodes, proxy), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        for node in nodes:
            node.publish(EVENT)
        to = f"127.0.0.1:{receiver.getsockname()[1]}"
        command = [sys.executable, "-m", "edge", "bridge", "osc", "--connect", proxy.address, "--to", to]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
            try:
                came = {receiver.recv(4096) for _ in range(2)}
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=WAIT_S)
            finally:
                process.kill()
    assert {re.search(rb"/foal-edge/\w+/event", bundle)[0] for bundle in came} == {
        b"/foal-edge/a_cam1/event",
        b"/foal-edge/b_cam1/event",
    }


def test_on_a_terminal_the_status_line_makes_way_for_the_log() -> None:
    node = MadeNode("lobby")
    source = f"lobby={node.publisher.address},control=off"
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "edge", "proxy", "--from", source, "--bind", ANY_PORT, "--control", "off"]
    with subprocess.Popen(command, cwd=ROOT, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while b"1 of 1 nodes online" not in shown:
                shown += os.read(ours, 4096)
                node.publish(STATUS)
            node.publish(numbered(0, session="cd"), numbered(10), numbered(1, session="cd"))
            while b"foal-edge: two nodes" not in shown:
                shown += os.read(ours, 4096)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(WAIT_S)
    os.close(ours)
    node.close()
    assert process.returncode == 0
    assert b"\r\x1b[2Kfoal-edge: two nodes are called 'lobby'" in shown
