"""Model repository of a bundle for Triton Inference Server: a model for each graph, and their ensemble.

    REPOSITORY/
      foal-nano.fusion/
        config.pbtxt       what the server needs to know; one for all versions
        3001/model.onnx    the graph of version 0.3.1, or model.plan, an engine of TensorRT

A node asks for the version of its own bundle. The two newest stay served, so that nodes can be renewed one by one.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from edge.backends.triton.names import DATATYPES, hash_parameter, hashes, model_name, model_version, row_shape
from edge.bundle.load import Bundle
from edge.bundle.manifest import GraphEntry, GraphName, Manifest, Tensor
from edge.errors import UsageError
from edge.system.files import replacing

Platform = Literal["onnx", "tensorrt"]
FindEngine = Callable[[GraphName], bytes]
"""Function that returns a graph's engine of TensorRT for the GPU of this machine."""

BACKENDS: dict[Platform, tuple[str, str, str]] = {
    "onnx": ("onnxruntime_onnx", "onnxruntime", "model.onnx"),
    "tensorrt": ("tensorrt_plan", "tensorrt", "model.plan"),
}
"""Platform and backend as the server names them, and the file of a model."""
CONFIG = "config.pbtxt"
ENSEMBLE = "window"
"""Name of the ensemble, from the audio and the embeddings of a window to its logits."""
KEPT_VERSIONS = 2
"""Number of versions that the server keeps ready, the newest."""
QUEUE_SHARE = 0.01
"""Share of a hop for which a request waits for those of other nodes: three graphs delay a window by 3 % of a hop."""
QUEUED_REQUESTS = 256
"""Most requests that wait for one model; further ones are refused."""
FUSED: Mapping[str, str] = {"audio_tokens": "tokens", "audio_mask": "mask"}
"""Inputs of the fusion that are outputs of an audio encoder of whole windows."""


def write(
    bundle: Bundle,
    repository: Path,
    platform: Platform,
    hop_s: float,
    tell: Callable[[str], None],
    find_engine: FindEngine,
) -> None:
    """Write a bundle's models into a repository, beside those of other bundles and versions.

    `hop_s` is that of the nodes, in seconds. A server that watches the repository finds the file of each version whole.
    UsageError where the bundle cannot be served, or another version of it has other tensors.
    """
    manifest, version = bundle.manifest, model_version(bundle.manifest)
    if platform == "tensorrt" and manifest.is_quantized:
        raise UsageError(f"{manifest.name} is in int8, which is for CPUs; take --platform onnx, or a bundle in fp16")
    for graph, entry in manifest.graphs.by_name().items():
        folder = repository / model_name(manifest, graph)
        config = graph_config(manifest, graph, entry, platform, hop_s)
        keep_other_versions(config, folder)
        place(folder / str(version), graph_contents(bundle, graph, entry, platform, find_engine))
        write_config(config, folder)
        tell(f"{folder}: version {version}, {platform}, batches of up to {entry.batch.largest}")
    if manifest.pieces is None:
        folder = repository / model_name(manifest, ENSEMBLE)
        make_folder(folder / str(version))
        write_config(ensemble_config(manifest), folder)
        tell(f"{folder}: version {version}, the audio encoder and the fusion in one request")
    else:
        tell(f"no ensemble: between the audio encoder and the fusion of {manifest.name} a node keeps tokens of its own")


def graph_contents(
    bundle: Bundle, graph: GraphName, entry: GraphEntry, platform: Platform, find_engine: FindEngine
) -> dict[str, Path | bytes]:
    """Return the files of one version, each as a path to copy or as its content."""
    file = BACKENDS[platform][2]
    if platform == "tensorrt":
        return {file: find_engine(graph)}
    contents: dict[str, Path | bytes] = {file: bundle.path(entry.file)}
    if entry.weights is not None:  # under the name by which the graph knows it
        weights = bundle.path(entry.weights)
        contents[weights.relative_to(bundle.path(entry.file).parent).as_posix()] = weights
    return contents


def place(folder: Path, contents: Mapping[str, Path | bytes]) -> None:
    """Write the files of a version, the graph last: until it is there a server that watches finds no model."""
    make_folder(folder)
    for name, content in reversed(list(contents.items())):
        make_folder((folder / name).parent)
        with replacing(folder / name) as part:
            if isinstance(content, bytes):
                part.write_bytes(content)
            else:
                shutil.copyfile(content, part)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; UsageError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"no models can be written to {folder} ({error}); give another folder as -o") from error


def write_config(config: pb.ModelConfig, folder: Path) -> None:
    """Write the configuration of a model."""
    with replacing(folder / CONFIG) as part:
        part.write_text(text_format.MessageToString(config))


def keep_other_versions(config: pb.ModelConfig, folder: Path) -> None:
    """Take over the hashes of other versions from the folder's configuration; UsageError where its tensors differ."""
    path = folder / CONFIG
    if not path.exists():
        return
    try:
        known = text_format.Parse(path.read_text(), pb.ModelConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UsageError(f"{path} cannot be read ({error}); remove {folder}, or give another folder as -o") from error
    same = [list(getattr(known, side)) == list(getattr(config, side)) for side in ("input", "output")]
    if not all(same) or known.backend != config.backend:
        raise UsageError(
            f"{folder} has a model of other tensors or of {known.backend}, not {config.backend}, and one configuration "
            "is for all versions; give another folder as -o"
        )
    for name, value in known.parameters.items():
        if name not in config.parameters:
            config.parameters[name].CopyFrom(value)


def graph_config(
    manifest: Manifest, graph: GraphName, entry: GraphEntry, platform: Platform, hop_s: float
) -> pb.ModelConfig:
    """Return the configuration of one graph's model."""
    name, backend, file = BACKENDS[platform]
    config = pb.ModelConfig(
        name=model_name(manifest, graph),
        platform=name,
        backend=backend,
        default_model_filename=file,
        max_batch_size=entry.batch.largest,
        input=tensors(pb.ModelInput, entry.inputs),
        output=tensors(pb.ModelOutput, entry.outputs),
        version_policy=pb.ModelVersionPolicy(latest=pb.ModelVersionPolicy.Latest(num_versions=KEPT_VERSIONS)),
        dynamic_batching=batching(hop_s),
        model_warmup=[warm_up(entry, rows) for rows in sorted({1, entry.batch.usual, entry.batch.largest})],
    )
    config.parameters[hash_parameter(model_version(manifest))].string_value = hashes(entry)
    return config


def tensors(
    kind: "type[pb.ModelInput] | type[pb.ModelOutput]", entries: Sequence[Tensor], *, reshapes: bool = True
) -> list[pb.ModelInput]:
    """Return the inputs or outputs of a model; the batch stands in none of them."""
    found = []
    for entry in entries:
        tensor = kind(name=entry.name, data_type=f"TYPE_{DATATYPES[entry.dtype]}", dims=row_shape(entry))
        if reshapes and len(entry.shape) == 1:  # a number a row, which the server has no shape for
            tensor.reshape.SetInParent()
        found.append(tensor)
    return found


def batching(hop_s: float) -> pb.ModelDynamicBatching:
    """Return how the requests of several nodes are put together: in the time of a hop, or not at all."""
    return pb.ModelDynamicBatching(
        max_queue_delay_microseconds=round(hop_s * QUEUE_SHARE * 1e6),
        default_queue_policy=pb.ModelQueuePolicy(
            timeout_action=pb.ModelQueuePolicy.REJECT,
            default_timeout_microseconds=round(hop_s * 1e6),
            allow_timeout_override=True,
            max_queue_size=QUEUED_REQUESTS,
        ),
    )


def warm_up(entry: GraphEntry, rows: int) -> pb.ModelWarmup:
    """Return a batch that the server runs before it says that the model is ready, all of it zero."""
    warmup = pb.ModelWarmup(name=f"{rows} rows", batch_size=rows)
    for tensor in entry.inputs:
        zeros = warmup.inputs[tensor.name]
        zeros.data_type = pb.DataType.Value(f"TYPE_{DATATYPES[tensor.dtype]}")
        zeros.dims.extend(row_shape(tensor))
        zeros.zero_data = True
    return warmup


def ensemble_config(manifest: Manifest) -> pb.ModelConfig:
    """Return the configuration of the ensemble of an audio encoder of whole windows and the fusion."""
    audio, fusion, version = manifest.graphs.audio_encoder, manifest.graphs.fusion, model_version(manifest)
    own = [tensor for tensor in fusion.inputs if tensor.name not in FUSED]
    told = [tensor for tensor in audio.outputs if tensor.name not in FUSED.values()]
    first = pb.ModelEnsembling.Step(
        model_name=model_name(manifest, "audio_encoder"),
        model_version=version,
        input_map={tensor.name: tensor.name for tensor in audio.inputs},
        output_map={tensor.name: tensor.name for tensor in audio.outputs},
    )
    second = pb.ModelEnsembling.Step(
        model_name=model_name(manifest, "fusion"),
        model_version=version,
        input_map={tensor.name: FUSED.get(tensor.name, tensor.name) for tensor in fusion.inputs},
        output_map={tensor.name: tensor.name for tensor in fusion.outputs},
    )
    return pb.ModelConfig(
        name=model_name(manifest, ENSEMBLE),
        platform="ensemble",
        max_batch_size=min(audio.batch.largest, fusion.batch.largest),
        input=tensors(pb.ModelInput, [*audio.inputs, *own], reshapes=False),  # its models do that
        output=tensors(pb.ModelOutput, [*fusion.outputs, *told], reshapes=False),
        version_policy=pb.ModelVersionPolicy(specific=pb.ModelVersionPolicy.Specific(versions=[version])),
        ensemble_scheduling=pb.ModelEnsembling(step=[first, second]),
    )
