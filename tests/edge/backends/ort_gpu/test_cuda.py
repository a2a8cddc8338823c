"""The CUDA backend: its options, and what becomes of it where a GPU or its package is missing."""

import pytest

from edge.backends.ort_gpu import cuda
from edge.backends.select import open_backend
from edge.bundle.load import Bundle
from edge.errors import EngineError
from tests.edge.backends.tensorrt import made_engines

BUILDER = made_engines.engine_builder([])


def missing() -> str | None:
    """What this machine lacks for the backend; None where it has a GPU and the package."""
    try:
        cuda.find_device()
    except EngineError as error:
        return str(error)
    return None


needs_gpu = pytest.mark.skipif(missing() is not None, reason=f"no CUDA: {missing()}")
needs_none = pytest.mark.skipif(missing() is None, reason="a GPU and onnxruntime-gpu are here")


def test_every_graph_gets_a_stream_no_tf32_and_cuda_graphs(shipped_bundle: Bundle) -> None:
    provider = cuda.provider_for(4096)("fusion", shipped_bundle.manifest.graphs.fusion)
    assert (provider.name, provider.device) == ("CUDAExecutionProvider", "cuda")
    assert provider.options == {
        "device_id": "0",
        "user_compute_stream": "4096",
        "use_tf32": "0",
        "arena_extend_strategy": "kSameAsRequested",
    }
    assert provider.graph_options == {"enable_cuda_graph": "1"}
    assert provider.strict_entries == {"session.disable_cpu_ep_fallback": "1"}


@needs_none
def test_cuda_that_was_asked_for_never_becomes_another(shipped_bundle: Bundle) -> None:
    with pytest.raises(EngineError) as refused:
        open_backend(shipped_bundle, "cuda", 1, BUILDER)
    assert str(refused.value) == missing()
    with pytest.raises(EngineError):
        cuda.probe(shipped_bundle)


@needs_gpu
def test_the_shipped_bundle_is_proven_on_the_gpu(shipped_bundle: Bundle) -> None:
    opened = open_backend(shipped_bundle, "cuda", 1, BUILDER)
    assert opened.backend.name.startswith("cuda-ort-")
    assert all(proof.is_within_tolerance for proof in opened.proofs)
