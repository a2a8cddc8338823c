"""The registry: its entries, and a third backend that needs an entry and a module alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.backends import nvidia, registry, select
from edge.backends.registry import BACKENDS, choices, get_entry, get_published_entry, is_address
from edge.backends.select import import_backend, open_backend
from edge.bundle.load import SHIPPED, Bundle, read_manifest
from edge.errors import BundleError, EngineError, UsageError
from tests.edge.backends.made_backend import ENTRY, USABLE, MadeBackend
from tests.edge.backends.tensorrt import made_engines, made_tensorrt

ROOT = Path(__file__).parents[3]
BUILDER = made_engines.engine_builder([])
RUN = """
import sys
from edge.backends import registry
from tests.edge.backends.made_backend import ENTRY
registry.BACKENDS = (ENTRY, *registry.BACKENDS)
from edge.cli.main import run_command
sys.argv = ["foal-edge", "--demo", "--fast", "--mic", "off", "--threads", "1", "--backend", "made"]
run_command()
"""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that makes the third backend usable; it comes first, and TensorRT is too old."""
    made_tensorrt.installed(monkeypatch, version="8.6.2")
    monkeypatch.setattr(nvidia, "absence", lambda: None)
    monkeypatch.setattr(registry, "BACKENDS", (ENTRY, *BACKENDS))
    monkeypatch.setenv(USABLE, str(tmp_path / "made"))
    return tmp_path / "made"


def test_each_backend_has_an_entry_with_its_error() -> None:
    assert {entry.name: entry.error for entry in BACKENDS} == {
        "tensorrt": EngineError,
        "ort-tensorrt": EngineError,
        "cuda": EngineError,
        "onnxruntime": BundleError,
    }
    assert choices() == ["auto", "cuda", "onnxruntime", "ort-tensorrt", "tensorrt"]


def test_auto_tries_tensorrt_then_cuda_then_the_cpu() -> None:
    assert [entry.name for entry in BACKENDS if entry.is_automatic] == ["tensorrt", "cuda", "onnxruntime"]


def test_each_module_has_the_functions_of_a_backend() -> None:
    for entry in BACKENDS:
        module = import_backend(entry)
        assert callable(module.probe)
        assert callable(module.open_backend)


def test_a_name_without_an_entry_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"^--backend 'openvino': one of auto, .* or triton://HOST:PORT is"):
        get_entry("openvino")


@pytest.mark.parametrize(
    ("published", "name"),
    [
        ("onnxruntime-cpu", "onnxruntime"),
        ("tensorrt-10.3.0 sm87", "tensorrt"),
        ("tensorrt-rtx-1.4.0.76 sm120", "tensorrt"),
        ("cuda-ort-1.31.1 sm90", "cuda"),
        ("ort-tensorrt-1.31.1 sm90", "ort-tensorrt"),
        ("triton-2.51.0", "onnxruntime"),
        ("numpy", "onnxruntime"),
    ],
)
def test_a_published_name_leads_to_its_entry(published: str, name: str) -> None:
    assert get_published_entry(published).name == name


@pytest.mark.parametrize(
    ("wanted", "is_one"),
    [("triton://a:1", True), ("tritons://", True), ("triton", False), ("tcp://a", False), ("auto", False)],
)
def test_an_address_is_known_by_its_scheme(wanted: str, is_one: bool) -> None:
    assert is_address(wanted) is is_one


def test_the_names_need_no_engine_and_no_arrays() -> None:
    code = "import sys, edge.backends.registry; print(*{'numpy', 'onnxruntime', 'cv2'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout == b"\n"


@pytest.mark.parametrize("wanted", ["made", "auto"])
def test_a_third_backend_is_opened_by_its_name_and_by_auto(made: Path, shipped_bundle: Bundle, wanted: str) -> None:
    made.touch()
    opened = open_backend(shipped_bundle, wanted, 1, BUILDER)
    assert isinstance(opened.backend, MadeBackend)
    assert opened.reason == ("as asked for" if wanted == "made" else "the made backend is here")
    assert opened.backend.saved == 1
    assert [proof.is_within_tolerance for proof in opened.proofs] == [True] * 3


def test_a_third_backend_that_cannot_be_used_gives_way_in_auto_alone(made: Path, shipped_bundle: Bundle) -> None:
    backend, reason, *_ = open_backend(shipped_bundle, "auto", 1, BUILDER)
    assert backend.name == "onnxruntime-cpu"
    assert reason.startswith(f"{made} is not here; no TensorRT to use (tensorrt is 8.6.2")
    with pytest.raises(EngineError, match=r"is not here; make it$"):
        open_backend(shipped_bundle, "made", 1, BUILDER)


def test_a_third_backend_that_is_off_is_refused_with_its_own_error_and_remedy(
    made: Path, shipped_bundle: Bundle, monkeypatch, caplog
) -> None:
    made.touch()
    monkeypatch.setattr(select, "describe_failures", lambda bundle, backend, proofs: f"{backend.name} is off")
    with pytest.raises(EngineError) as refused:
        open_backend(shipped_bundle, "made", 1, BUILDER)
    message = str(refused.value)
    assert message.startswith("made-1.0 is off; mend ")
    assert message.endswith(f" 1 thread or {shipped_bundle.folder}")
    with pytest.raises(BundleError):
        open_backend(shipped_bundle, "auto", 1, BUILDER)
    assert caplog.messages[0].endswith("Going on without it")


def test_a_bundle_runs_on_a_third_backend_by_the_command_line(made: Path) -> None:
    made.touch()
    ended = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert f"foal-nano {read_manifest(SHIPPED).version} on made-1.0 (as asked for)\nfaces   by " in ended.stderr
