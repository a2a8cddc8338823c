"""Sessions on a provider: what was asked for or an error, by real ONNX Runtime, which need not have a GPU."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import pytest
from msgspec.structs import replace

from edge.backends.onnxruntime import VERSION, ort, session_options
from edge.backends.ort_gpu import session as sessions
from edge.backends.ort_gpu.package import DRIVER, loading_problem
from edge.backends.ort_gpu.session import (
    Provider,
    open_capturing,
    open_strict,
    tensors_elsewhere,
)
from edge.bundle.load import Bundle
from edge.bundle.manifest import GraphEntry, Tensor
from edge.errors import BundleError, EngineError
from tests.edge.backends.ort_gpu.made_memory import CPU

CUDA = Provider("CUDAExecutionProvider", "cuda", {}, {"enable_cuda_graph": "1"})
NO_API = "this ONNX Runtime does not say where it runs nodes: 1.24 or later does"
needs_placement = pytest.mark.skipif(
    not hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"), reason=NO_API
)


class OnTheHost:
    """A session of ONNX Runtime's that says it is on CUDA, where the host runs every node."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


@contextmanager
def on_the_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Give sessions on the host for any provider; what was asked for, and the entry that forbids the host."""
    real, asked = sessions.make_session, list[tuple[str, str]]()

    def make(path: Path, options: ort.SessionOptions, providers: Any) -> Any:
        try:
            strict = options.get_session_config_entry("session.disable_cpu_ep_fallback")
        except RuntimeError:  # it has none
            strict = ""
        asked.append((providers[0][0], strict))
        return OnTheHost(real(path, options, ["CPUExecutionProvider"] if not strict else []))

    with monkeypatch.context() as patched:
        patched.setattr(sessions, "make_session", make)
        yield asked


@pytest.fixture
def fusion(shipped_bundle: Bundle) -> tuple[Path, GraphEntry]:
    entry = shipped_bundle.manifest.graphs.fusion
    return shipped_bundle.path(entry.file), entry


@needs_placement
def test_a_session_on_the_provider_that_was_asked_for_is_opened(fusion) -> None:
    session = open_strict(*fusion, CPU)
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert tensors_elsewhere(session, "cpu") == []


@needs_placement
@pytest.mark.parametrize("open_session", [open_strict, open_capturing])
def test_no_session_comes_from_another_provider_than_was_asked_for(fusion, open_session: Any, capfd) -> None:
    """With the package for CPUs ONNX Runtime knows no CUDA, with that for GPUs it has no GPU."""
    if "CUDAExecutionProvider" in ort.get_available_providers() and loading_problem(DRIVER) is None:
        pytest.skip("this ONNX Runtime has CUDA, and there may be a GPU")
    with pytest.raises(EngineError) as refused:
        open_session(*fusion, CUDA)
    message = str(refused.value)
    assert message.startswith(f"{fusion[0]}")
    assert "CUDAExecutionProvider" in message
    assert message.endswith("take --backend onnxruntime")
    assert capfd.readouterr().out == ""


def test_a_provider_that_gives_way_is_named_with_what_came_in_its_place(
    fusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ort.InferenceSession

    def only_logs(content: str, options: ort.SessionOptions, providers: Any, **others: Any) -> ort.InferenceSession:
        """What ONNX Runtime for GPUs does where a provider's library does not load."""
        return real(content, options, providers=["CPUExecutionProvider"], **others)

    monkeypatch.setattr(ort, "InferenceSession", only_logs)
    with pytest.raises(EngineError, match="was asked for CUDAExecutionProvider and took CPUExecutionProvider; its log"):
        open_capturing(*fusion, CUDA)


def count(fusion: tuple[Path, GraphEntry], operator: str) -> int:
    """Number of the graph's nodes of an operator, by the file itself."""
    return [node.op_type for node in onnx.load(fusion[0]).graph.node].count(operator)


@needs_placement
def test_nodes_that_the_host_would_compute_are_refused_by_their_operators(fusion, monkeypatch) -> None:
    with on_the_host(monkeypatch) as asked, pytest.raises(EngineError) as refused:
        open_strict(*fusion, CUDA)
    assert str(refused.value).startswith(f"{fusion[0]}: ONNX Runtime {VERSION} would run nodes on the host (")
    assert f", {count(fusion, 'MatMul')} MatMul, " in str(refused.value)
    assert asked == [("CUDAExecutionProvider", "1"), ("CUDAExecutionProvider", "")]


@needs_placement
def test_nodes_on_the_host_that_only_arrange_are_warned_of(fusion, monkeypatch, caplog) -> None:
    """As CUDA's provider leaves a table of WavLM that is repeated for each row of a batch."""
    monkeypatch.setattr(sessions, "nodes_elsewhere", lambda *_: Counter(Tile=1, Concat=2))
    with on_the_host(monkeypatch):
        session = open_strict(*fusion, CUDA)
    assert session.get_inputs()[0].name == "audio_tokens"
    assert caplog.messages == ["fusion.onnx has nodes on the host, which arrange what is constant (2 Concat, 1 Tile)"]


@needs_placement
def test_nodes_elsewhere_are_counted_by_their_operators(fusion) -> None:
    options = session_options(1)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    session = sessions.make_session(fusion[0], options, ["CPUExecutionProvider"])
    assert sessions.nodes_elsewhere(session, "CUDAExecutionProvider")["MatMul"] == count(fusion, "MatMul")
    assert not sessions.nodes_elsewhere(session, "CPUExecutionProvider")


@needs_placement
def test_tensors_that_a_session_keeps_elsewhere_are_named(fusion) -> None:
    path, entry = fusion
    names = [tensor.name for tensor in (*entry.inputs, *entry.outputs)]
    assert tensors_elsewhere(open_strict(path, entry, CPU), "cuda") == names


@needs_placement
def test_a_session_that_would_take_a_tensor_on_the_host_captures_nothing(fusion) -> None:
    """A node on the host that takes an input itself is not run again when a CUDA graph is."""
    with pytest.raises(EngineError, match=r"takes the tensors audio_tokens, audio_mask, .* of .* on the host"):
        open_capturing(*fusion, Provider("CPUExecutionProvider", "cuda"))


def test_a_graph_with_other_tensors_than_the_manifest_says_is_refused(fusion) -> None:
    path, entry = fusion
    other = replace(entry, inputs=[Tensor("waveform", "float32", ["batch", 8])])
    with pytest.raises(BundleError, match="has inputs"):
        open_strict(path, other, CPU)
