"""The backend of ONNX Runtime's TensorRT provider: its options, its folder, and what becomes of it without a GPU."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.backends.ort_gpu import tensorrt
from edge.backends.select import open_backend
from edge.backends.tensorrt.platform import Device, TensorRTVariant
from edge.bundle.load import Bundle
from edge.bundle.manifest import Batch, Tensor
from edge.errors import EngineError
from tests.edge.backends.tensorrt import made_engines

BUILDER = made_engines.engine_builder([])
VARIANT, DEVICE = TensorRTVariant("tensorrt", "10.13.0", None), Device("Made GPU 3000 16 SM", "9.0", "580")


def missing() -> str | None:
    """What this machine lacks for the backend; None where it has all."""
    try:
        tensorrt.find_device()
    except EngineError as error:
        return str(error)
    return None


needs_gpu = pytest.mark.skipif(missing() is not None, reason=f"no TensorRT provider: {missing()}")
needs_none = pytest.mark.skipif(missing() is None, reason="a GPU, TensorRT and onnxruntime-gpu are here")


def test_engines_are_built_for_all_batches_at_once_and_kept(shipped_bundle: Bundle, tmp_path: Path) -> None:
    entry = replace(shipped_bundle.manifest.graphs.audio_encoder, batch=Batch(2, 8))
    options = tensorrt.provider_for(4096, tmp_path)("audio_encoder", entry).options
    assert options["trt_profile_min_shapes"] == "waveform:1x14150,end:1,before:1x17x512,known:1"
    assert options["trt_profile_opt_shapes"] == "waveform:2x14150,end:2,before:2x17x512,known:2"
    assert options["trt_profile_max_shapes"] == "waveform:8x14150,end:8,before:8x17x512,known:8"
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(tmp_path)
    assert options["trt_engine_cache_prefix"] == "audio_encoder"
    assert options["user_compute_stream"] == "4096"


@pytest.mark.parametrize(("precision", "flag"), [("fp32", "0"), ("fp16", "1")])
def test_half_precision_is_allowed_where_the_graph_has_it(
    shipped_bundle: Bundle, tmp_path: Path, precision, flag
) -> None:
    entry = replace(shipped_bundle.manifest.graphs.fusion, precision=precision)
    provider = tensorrt.provider_for(4096, tmp_path)("fusion", entry)
    assert provider.options["trt_fp16_enable"] == flag
    assert (provider.name, provider.graph_options) == ("TensorrtExecutionProvider", {})


def test_shapes_are_written_as_the_provider_reads_them() -> None:
    assert tensorrt.profile_shape(Tensor("frames", "uint8", ["batch", 64, 64, 3]), 4) == "frames:4x64x64x3"


def test_the_folder_of_engines_tells_device_versions_and_weights(shipped_bundle: Bundle) -> None:
    name = tensorrt.folder_name(shipped_bundle, VARIANT, DEVICE)
    assert name.startswith("made-gpu-3000-16-sm-sm90-driver-580-ort-")
    assert "-tensorrt-10.13.0-" in name
    digests = [entry.file.sha256[:8] for entry in shipped_bundle.manifest.graphs.by_name().values()]
    assert name.endswith("-".join(digests))


@needs_none
def test_what_was_asked_for_never_becomes_another(shipped_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tensorrt.TF32, "0")
    with pytest.raises(EngineError) as refused:
        open_backend(shipped_bundle, "ort-tensorrt", 1, BUILDER)
    assert str(refused.value) == missing()
    with pytest.raises(EngineError):
        tensorrt.probe(shipped_bundle)


@needs_gpu
def test_the_shipped_bundle_is_proven_on_the_gpu(shipped_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tensorrt.TF32, "0")
    opened = open_backend(shipped_bundle, "ort-tensorrt", 1, BUILDER)
    assert opened.backend.name.startswith("ort-tensorrt-")
    assert all(proof.is_within_tolerance for proof in opened.proofs)
