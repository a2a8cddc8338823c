"""The programs of `examples/`, in four languages, with and without keys: all print the same of the same messages."""

import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq

from edge.clock import SystemClock
from edge.wire.control_server import ControlServer
from edge.wire.keys import load_server_keys, make_client_keys, make_server_keys
from edge.wire.publisher import Publisher
from tests.edge.made_messages import ANY_PORT, EVENT, PREDICTION, STATUS, WAIT_S, nothing, numbered, receive, unchanged

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
WIRE = (ROOT / "docs/wire.md").read_text()
T_NS = 1_764_000_000_123_456_789
"""A time that a float does not hold."""
MESSAGES = [
    numbered(0, PREDICTION, t_end=T_NS),
    numbered(2**40 + 1, PREDICTION, t_end=T_NS + 1, stream="cam2", label="größer", confidence=1.0),
    numbered(2, PREDICTION, t_end=7, stream="cam3"),
]
PRINTED = [
    f"cam1 0 {T_NS} glad 0.75",
    f"cam2 {2**40 + 1} {T_NS + 1} größer 1.00",
    "cam3 2 7 glad 0.75",
]
LANGUAGES = {".py": "python", ".mjs": "js", ".cpp": "cpp"}
SUBSCRIBERS = sorted(path.name for path in EXAMPLES.glob("subscriber*.*"))
CLIENTS = sorted(path.name for path in EXAMPLES.glob("control*.*"))


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of npm that the programs import."""
    if shutil.which("node") is None or (npm := shutil.which("npm")) is None:
        pytest.skip("no Node.js with npm here (apt-get install nodejs npm)")
    folder = tmp_path_factory.mktemp("node")
    command = [npm, "install", "--no-audit", "--no-fund", "zeromq@6", "@msgpack/msgpack@3"]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm's registry does not answer")
    if ended.returncode:
        pytest.skip(f"npm cannot install zeromq and @msgpack/msgpack: {ended.stderr.strip()[:200]}")
    return folder


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, Path | None], list[str]]:
    """The command of a program, with the lines of docs/wire.md for these keys put in where there are some."""

    def make(name: str, hand_out: Path | None) -> list[str]:
        language = LANGUAGES[Path(name).suffix]
        program = (EXAMPLES / name).read_text()
        if hand_out is not None:
            program = with_keys(program, language, hand_out)
        folder = request.getfixturevalue("node_folder") if language == "js" else tmp_path
        path = folder / name
        path.write_text(program)
        if language == "python":
            pytest.importorskip("msgpack", reason="pip install msgpack")
            return [sys.executable, "-u", str(path)]
        return ["node", str(path)] if language == "js" else [compiled(path)]

    return make


def with_keys(program: str, language: str, hand_out: Path) -> str:
    """A program with the lines of docs/wire.md for its language before it connects."""
    section = WIRE.partition("### Keys")[2]
    (lines,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    indent = re.search(r"^( *)\w+\.connect\(", program, re.MULTILINE)[1]
    indented = re.sub(r"^(?=.)", indent, lines.replace("desk/", f"{hand_out}/"), flags=re.MULTILINE)
    program = re.sub(r"^ *\w+\.connect\(", lambda found: indented + found[0], program, count=1, flags=re.MULTILINE)
    return f"#include <fstream>\n{program}" if language == "cpp" else program


def compiled(path: Path) -> str:
    """A C++ program, compiled."""
    if shutil.which("g++") is None or not all(
        Path(f"/usr/include/{name}.hpp").is_file() for name in ("zmq", "msgpack")
    ):
        pytest.skip("no C++ with ZeroMQ and msgpack here (apt-get install g++ cppzmq-dev libmsgpack-cxx-dev)")
    subprocess.run(["g++", "-std=c++17", "-Wall", "-Werror", str(path), "-o", f"{path}.out", "-lzmq"], check=True)
    return f"{path}.out"


@contextmanager
def started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A program that is killed at the end, or where it prints nothing for too long."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf8"
    ) as program:
        timer = threading.Timer(WAIT_S, program.kill)
        timer.start()
        try:
            yield program
        finally:
            timer.cancel()
            program.kill()


def lines_of(command: list[str], count: int) -> list[str]:
    """The first lines that a program prints."""
    with started(command) as program:
        lines = [program.stdout.readline().rstrip("\n") for _ in range(count)]
        if not all(lines):
            program.kill()
            pytest.fail(f"{lines}, and on stderr: {program.stderr.read()}")
    return lines


@pytest.mark.parametrize("is_guarded", [False, True], ids=["open", "keys"])
@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_a_subscriber_prints_each_prediction(made, tmp_path: Path, name: str, is_guarded: bool) -> None:
    make_server_keys(tmp_path / "keys")
    hand_out = make_client_keys(tmp_path / "keys", "desk")
    command = made(name, hand_out if is_guarded else None)
    keys = load_server_keys(tmp_path / "keys") if is_guarded else None
    publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, keys)
    for message in (STATUS, *MESSAGES, EVENT):
        publisher.publish(message)
    try:
        assert lines_of([*command, publisher.address], len(MESSAGES)) == PRINTED
    finally:
        publisher.close()


@pytest.mark.parametrize("is_guarded", [False, True], ids=["open", "keys"])
@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_of_the_control_port_prints_the_last_predictions(
    made, tmp_path: Path, name: str, is_guarded: bool
) -> None:
    make_server_keys(tmp_path / "keys")
    hand_out = make_client_keys(tmp_path / "keys", "desk")
    command = made(name, hand_out if is_guarded else None)
    keys = load_server_keys(tmp_path / "keys") if is_guarded else None
    server = ControlServer(ANY_PORT, {}, lambda: [STATUS, *MESSAGES], SystemClock(), None, keys)
    try:
        assert lines_of([*command, server.address], len(MESSAGES)) == PRINTED
    finally:
        server.close()


def test_they_hear_a_real_run(made) -> None:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{any_socket.getsockname()[1]}"
    run = [sys.executable, "-m", "edge", "--demo", "--bind", address, "--control", "off", "--quiet"]
    with subprocess.Popen(run, cwd=ROOT) as runtime:
        try:
            lines = lines_of([*made("subscriber.py", None), address], 2)
        finally:
            runtime.kill()
    assert [line.split()[0] for line in lines] == ["main", "main"]
    assert int(lines[1].split()[1]) == int(lines[0].split()[1]) + 1


def test_javascript_rounds_nanoseconds_unless_it_is_told(node_folder: Path) -> None:
    """The trap that docs/wire.md warns of is still one, and so is the way out."""
    (node_folder / "trap.mjs").write_text(
        'import { decode, encode } from "@msgpack/msgpack";\n'
        f'const body = Buffer.from("cf{T_NS:016x}", "hex");\n'
        "console.log(BigInt(decode(body)), decode(body, { useBigInt64: true }));\n"
        'console.log(typeof decode(Buffer.from("ce00000007", "hex"), { useBigInt64: true }));\n'
        'console.log(Buffer.from(encode(5e9, { useBigInt64: true })).toString("hex").slice(0, 2));\n'
        'console.log(Buffer.from(encode(5000000000n, { useBigInt64: true })).toString("hex").slice(0, 2));\n'
    )
    ended = subprocess.run(["node", str(node_folder / "trap.mjs")], capture_output=True, text=True, timeout=WAIT_S)
    rounded = int(float(T_NS))
    assert ended.stdout.split("\n") == [f"{rounded}n {T_NS}n", "number", "cb", "cf", ""], ended.stderr
    assert rounded != T_NS


def test_conflate_keeps_single_parts() -> None:
    """Why docs/wire.md warns of it: what arrives is a part, not a message."""
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.CONFLATE, 1)
    subscriber.subscribe("")
    publisher = context.socket(zmq.XPUB)
    publisher.bind(ANY_PORT)
    subscriber.connect(publisher.getsockopt_string(zmq.LAST_ENDPOINT))
    assert receive(publisher) == [b"\x01"]
    publisher.send_multipart([b"topic.", b"body"])
    got = receive(subscriber)
    context.destroy(linger=0)
    assert len(got) == 1


def test_every_program_is_in_the_readme() -> None:
    page = (EXAMPLES / "README.md").read_text()
    assert [path.name for path in EXAMPLES.iterdir() if f"({path.name})" not in page] == ["README.md"]


@pytest.mark.parametrize("name", [*SUBSCRIBERS, *CLIENTS])
def test_a_program_is_short(name: str) -> None:
    written = [line.strip() for line in (EXAMPLES / name).read_text().splitlines()]
    lines = [line for line in written if line and not re.match(r'(#|//|"""|import |from )', line)]
    assert len(lines) <= 16
