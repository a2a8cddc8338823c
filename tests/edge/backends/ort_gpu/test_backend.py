"""A bundle's graphs on a provider: CUDA graphs or a warning why not, and the golden vectors, on the CPU's provider."""

import logging

import pytest
from msgspec.structs import replace

from edge.backends import select
from edge.backends.onnxruntime import ort
from edge.backends.ort_gpu import backend as backends
from edge.backends.ort_gpu.backend import BoundBackend, check_precision
from edge.backends.ort_gpu.session import Provider
from edge.backends.proof import prove
from edge.backends.registry import get_entry
from edge.bundle.load import Bundle
from edge.bundle.manifest import GraphEntry, GraphName
from edge.errors import EngineError
from tests.edge.backends.ort_gpu.made_memory import CPU, HostMemory

WITH_GRAPHS = Provider("CPUExecutionProvider", "cpu", {}, {"enable_cuda_graph": "1"}, {})


def on_cpu(_graph: GraphName, _entry: GraphEntry) -> Provider:
    return CPU


def with_graphs(_graph: GraphName, _entry: GraphEntry) -> Provider:
    return WITH_GRAPHS


def test_the_shipped_bundle_is_proven(shipped_bundle: Bundle) -> None:
    backend = BoundBackend(shipped_bundle, "cuda-made", "this test", on_cpu, HostMemory())
    assert (backend.name, backend.about) == ("cuda-made", "this test")
    assert all(proof.is_within_tolerance for proof in prove(shipped_bundle, backend))
    backend.save_compiled()


def test_a_backend_that_computes_something_else_is_refused_with_the_entrys_remedy(shipped_bundle: Bundle) -> None:
    backend = BoundBackend(shipped_bundle, "cuda-made", "Made GPU 3000", on_cpu, HostMemory())
    honest = backend.fusion
    backend.fusion = lambda inputs: {name: array + 1 for name, array in honest(inputs).items()}  # type: ignore[assignment]
    with pytest.raises(
        EngineError, match=r"cuda-made: fusion .*update onnxruntime-gpu and the driver of Made GPU 3000"
    ):
        select.check_golden(get_entry("cuda"), shipped_bundle, backend, "asked for", must_prove=True)


def test_cuda_graphs_are_captured_under_a_number_for_each_size(shipped_bundle: Bundle, monkeypatch) -> None:
    monkeypatch.setattr(backends, "open_capturing", backends.open_strict)
    backend = BoundBackend(shipped_bundle, "cuda-made", "this test", with_graphs, HostMemory())
    numbers = [b.run_options.get_run_config_entry("gpu_graph_id") for b in backend.fusion._batches]
    assert numbers == ["0", "1", "2", "3", "4", "5"]


def test_without_cuda_graphs_none_is_asked_for(shipped_bundle: Bundle) -> None:
    backend = BoundBackend(shipped_bundle, "cuda-made", "this test", on_cpu, HostMemory())
    numbers = {b.run_options.get_run_config_entry("gpu_graph_id") for b in backend.fusion._batches}
    assert numbers == {"-1"}


def test_a_graph_that_cannot_be_captured_is_run_without_and_that_is_said(
    shipped_bundle: Bundle, monkeypatch, caplog
) -> None:
    def refuse(*_: object) -> ort.InferenceSession:
        raise EngineError("this session cannot use the graph capture feature", "as it is")

    monkeypatch.setattr(backends, "open_capturing", refuse)
    with caplog.at_level(logging.WARNING):
        backend = BoundBackend(shipped_bundle, "cuda-made", "this test", with_graphs, HostMemory())
    said = "runs without CUDA graphs: this session cannot use the graph capture feature"
    assert caplog.messages == [f"{name} {said}" for name in ("image_encoder", "audio_encoder", "fusion")]
    assert all(proof.is_within_tolerance for proof in prove(shipped_bundle, backend))


def test_a_bundle_for_cpus_is_refused(shipped_bundle: Bundle) -> None:
    check_precision(shipped_bundle)
    graphs = shipped_bundle.manifest.graphs
    quantised = replace(graphs, fusion=replace(graphs.fusion, precision="int8"))
    bundle = replace(shipped_bundle, manifest=replace(shipped_bundle.manifest, graphs=quantised))
    with pytest.raises(EngineError, match=r"^int8 is for CPUs; take --backend onnxruntime, or a bundle in fp16$"):
        check_precision(bundle)
