"""Model repositories: what a server finds in them, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from edge.bundle.load import SHIPPED, Bundle, load, sha256
from edge.bundle.manifest import File, Manifest
from edge.errors import UsageError
from export.model_repository import ensemble_config, write


def write_to(folder: Path, bundle: Bundle, hop_s: float = 0.5, platform: Any = "onnx") -> list[str]:
    told: list[str] = []
    write(bundle, folder, platform, hop_s, told.append, lambda graph: graph.encode())
    return told


def config_of(folder: Path, name: str) -> Any:
    return text_format.Parse((folder / name / "config.pbtxt").read_text(), pb.ModelConfig())


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load(SHIPPED)


def test_each_graph_is_a_model_in_the_version_of_the_bundle(tmp_path: Path, bundle: Bundle) -> None:
    told = write_to(tmp_path / "models", bundle)
    for graph, entry in bundle.manifest.graphs.by_name().items():
        assert sha256(tmp_path / "models" / f"foal-nano.{graph}" / "3001" / "model.onnx") == entry.file.sha256
    assert len(list((tmp_path / "models").rglob("*"))) == 3 * 4
    assert (
        told[-1] == "no ensemble: between the audio encoder and the fusion of foal-nano a node keeps tokens of its own"
    )


def test_a_configuration_says_tensors_batches_and_queue(tmp_path: Path, bundle: Bundle) -> None:
    write_to(tmp_path, bundle, hop_s=2.0)
    config = config_of(tmp_path, "foal-nano.audio_encoder")
    assert (config.name, config.backend, config.platform) == (
        "foal-nano.audio_encoder",
        "onnxruntime",
        "onnxruntime_onnx",
    )
    assert config.max_batch_size == 32
    shapes = {each.name: (pb.DataType.Name(each.data_type), list(each.dims)) for each in config.input}
    assert shapes == {
        "waveform": ("TYPE_FP32", [14150]),
        "end": ("TYPE_INT64", [1]),
        "before": ("TYPE_FP32", [17, 512]),
        "known": ("TYPE_INT64", [1]),
    }
    assert [each.name for each in config.input if each.HasField("reshape")] == ["end", "known"]
    assert config.dynamic_batching.max_queue_delay_microseconds == 20_000
    queue = config.dynamic_batching.default_queue_policy
    assert (queue.default_timeout_microseconds, queue.allow_timeout_override, queue.max_queue_size) == (
        2_000_000,
        True,
        256,
    )
    assert config.version_policy.latest.num_versions == 2
    assert [each.batch_size for each in config.model_warmup] == [1, 32]
    assert all(set(each.inputs) == set(shapes) for each in config.model_warmup)
    assert config.parameters["sha256_3001"].string_value == bundle.manifest.graphs.audio_encoder.file.sha256


def test_a_newer_version_stands_beside_the_older_one(tmp_path: Path, bundle: Bundle) -> None:
    write_to(tmp_path, bundle)
    write_to(tmp_path, Bundle(bundle.folder, replace(bundle.manifest, version="0.4.0")))
    config = config_of(tmp_path, "foal-nano.fusion")
    assert set(config.parameters) == {"sha256_3001", "sha256_4000"}
    assert {path.name for path in (tmp_path / "foal-nano.fusion").iterdir()} == {"3001", "4000", "config.pbtxt"}
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write_to(tmp_path, Bundle(bundle.folder, replace(bundle.manifest, version="0.4.0")))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_version_of_other_tensors_or_another_platform_needs_another_folder(tmp_path: Path, bundle: Bundle) -> None:
    write_to(tmp_path, bundle)
    with pytest.raises(UsageError, match=r"or of onnxruntime, not tensorrt.*give another folder as -o"):
        write_to(tmp_path, bundle, platform="tensorrt")
    other = tmp_path / "foal-nano.image_encoder" / "config.pbtxt"
    other.write_text("no: text")
    with pytest.raises(UsageError, match="cannot be read"):
        write_to(tmp_path, bundle)


def test_engines_of_tensorrt_are_plans(tmp_path: Path, bundle: Bundle) -> None:
    write_to(tmp_path, bundle, platform="tensorrt")
    assert (tmp_path / "foal-nano.fusion" / "3001" / "model.plan").read_bytes() == b"fusion"
    config = config_of(tmp_path, "foal-nano.fusion")
    assert (config.backend, config.platform, config.default_model_filename) == (
        "tensorrt",
        "tensorrt_plan",
        "model.plan",
    )


def test_an_int8_bundle_makes_no_plans(tmp_path: Path, bundle: Bundle) -> None:
    graphs = bundle.manifest.graphs
    quantized = replace(graphs, fusion=replace(graphs.fusion, precision="int8"))
    with pytest.raises(UsageError, match="is in int8, which is for CPUs"):
        write_to(tmp_path, Bundle(bundle.folder, replace(bundle.manifest, graphs=quantized)), platform="tensorrt")


def test_weights_beside_a_graph_keep_the_name_by_which_it_knows_them(tmp_path: Path, bundle: Bundle) -> None:
    graphs = bundle.manifest.graphs
    fusion = replace(graphs.fusion, weights=File("golden.npz", bundle.manifest.golden.sha256))
    write_to(tmp_path, Bundle(bundle.folder, replace(bundle.manifest, graphs=replace(graphs, fusion=fusion))))
    assert (tmp_path / "foal-nano.fusion" / "3001" / "golden.npz").is_file()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "models").touch()
    with pytest.raises(UsageError, match="give another folder as -o"):
        write_to(tmp_path / "models", bundle)


def test_whole_windows_have_an_ensemble_from_the_audio_to_the_logits(manifest: Manifest) -> None:
    config = ensemble_config(manifest)
    assert config.name == "tiny.window"
    assert [each.name for each in config.input] == ["waveform", "length", "video_tokens", "video_mask"]
    assert [each.name for each in config.output] == ["logits", "audio_embedding", "video_embedding"]
    assert not any(each.HasField("reshape") for each in config.input), "a server refuses an ensemble that reshapes"
    first, second = config.ensemble_scheduling.step
    assert (first.model_name, second.model_name) == ("tiny.audio_encoder", "tiny.fusion")
    assert (first.model_version, second.model_version) == (1, 1)
    assert dict(first.output_map) == {"tokens": "tokens", "mask": "mask"}
    assert second.input_map["audio_tokens"] == "tokens"
    assert second.input_map["audio_mask"] == "mask"
    assert set(second.input_map) == {tensor.name for tensor in manifest.graphs.fusion.inputs}
