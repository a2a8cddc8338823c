"""Public names: importable from the package, light, and known to mypy."""

import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge import clock_offset, listen, messages, recognizer
from edge.wire import clock_offset as wire_clock_offset
from edge.wire import messages as wire_messages
from edge.wire import subscriber

ROOT = Path(__file__).parents[2]
HEAVY = ["cv2", "numpy", "onnxruntime", "av", "rich", "click", "sounddevice", "asyncio"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "statement",
    [
        "import edge",
        "from edge import Subscriber, AsyncSubscriber",
        "from edge.listen import Subscriber, Prediction",
        "from edge.messages import Prediction, Status, decode, encode",
        "from edge.clock_offset import ClockOffset, estimate_offset",
    ],
)
def test_an_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    ended = python("-c", code)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")


def test_the_names_are_those_of_the_rooms() -> None:
    assert edge.Subscriber is listen.Subscriber is subscriber.Subscriber
    assert edge.AsyncSubscriber is listen.AsyncSubscriber is subscriber.AsyncSubscriber
    assert clock_offset.estimate_offset is wire_clock_offset.estimate_offset
    assert messages.Prediction is wire_messages.Prediction
    assert edge.Recognizer is recognizer.Recognizer
    assert {"Subscriber", "AsyncSubscriber", "Recognizer"} <= set(dir(edge))
    assert edge.__all__ == ["AsyncSubscriber", "Recognizer", "Subscriber"]


def test_another_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'edge' has no attribute 'nonsense'"):
        _ = edge.nonsense


def test_mypy_sees_the_recognizer(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy checks what a user's type checker sees")
    (tmp_path / "user.py").write_text(
        "from edge import Recognizer\n"
        "for row in Recognizer().annotate('talk.mp4').rows:\n"
        "    reveal_type(row.confidence)\n"
    )
    checked = python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "user.py"))
    assert 'Revealed type is "float"' in checked.stdout.replace("builtins.float", "float"), checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("Success"), checked.stdout


def test_mypy_sees_the_subscriber(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy checks what a user's type checker sees")
    (tmp_path / "user.py").write_text(
        "from edge import Subscriber\n"
        "from edge.listen import Prediction\n"
        "with Subscriber('tcp://127.0.0.1:5556') as messages:\n"
        "    for message in messages:\n"
        "        if isinstance(message, Prediction):\n"
        "            reveal_type(message.confidence)\n"
    )
    checked = python("-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "user.py"))
    assert 'Revealed type is "float"' in checked.stdout.replace("builtins.float", "float"), checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("Success"), checked.stdout
