"""Writing of a bundle: three graphs, golden vectors, manifest and model card."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from shutil import copytree

import msgspec
import numpy as np
import onnx
import torch
from torch import Tensor

from edge.backends.onnxruntime import OrtBackend
from edge.backends.registry import get_entry
from edge.backends.select import check_golden
from edge.bundle import golden
from edge.bundle import load as bundles
from edge.bundle.manifest import SCHEMA, Batch, File, GraphEntry, Graphs, Licences, Manifest, encode_manifest
from edge.bundle.manifest import Tensor as TensorEntry
from edge.errors import BundleError, UsageError
from edge.preprocess.framing import make_framing
from edge.sources import demo
from train.checkpoint import Ancestor, Checkpoint
from train.config import Config, NanoAudio
from train.provenance import trained_on

from .graphs import Graph, make_graphs, piece_spec, write_onnx
from .lower_precision import PrecisionTarget, graph_files, lower_precision, size_mb
from .model_card import licence, model_card
from .torch_parity import largest_difference
from .video_head import read_video_head

GOLDEN = "golden.npz"
WAVEFORM_STEP = 2**-12
"""Step to which the golden waveforms are rounded, so that their file is half as large."""
TOLERANCE = 1e-3
"""Largest absolute difference from torch that the manifest allows another engine in fp32."""
BATCHES = {"image_encoder": Batch(4, 32), "audio_encoder": Batch(1, 8), "fusion": Batch(1, 8)}
"""Typical and largest batch of each graph: some new frames and one window of a stream, and those of eight streams."""
PIECE_BATCHES = {**BATCHES, "audio_encoder": Batch(1, 32), "fusion": Batch(1, 32)}
"""The same where the audio encoder takes pieces, which are small: those of 32 streams."""
CODE_LICENCE = "Apache-2.0"
DTYPES = {torch.uint8: "uint8", torch.bool: "bool", torch.int64: "int64", torch.float32: "float32"}


def write(
    checkpoint: Checkpoint,
    folder: Path,
    tell: Callable[[str], None],
    target: PrecisionTarget | None = None,
    accept: Callable[[Path], None] = lambda _: None,
) -> None:
    """Write the bundle into a new or an empty folder, or in place of another bundle.

    The graphs are in fp32 without a `target`, else in its precision.
    Each graph is compared with torch, and `tell` gets a line about it. The bundle appears whole or not at all: `accept`
    is given its folder before, and may raise an error.
    """
    with replacing(folder, tell) as partial:
        fill(checkpoint, partial, tell)
        if target is not None:
            fp32 = partial.rename(partial.with_name("fp32"))
            partial.mkdir()
            manifest = lower_precision(bundles.load(fp32), partial, target, tell)
            write_description(manifest, checkpoint.config, checkpoint.ancestor, partial)
        accept(partial)


def fp32_bundle(folder: Path, config: Config) -> bundles.Bundle:
    """Return the fp32 bundle in a folder; UsageError where it is none, or not that of the configuration."""
    bundle = bundles.load(folder)
    for name in ("labels", "audio", "video"):
        found, expected = (msgspec.to_builtins(getattr(each, name)) for each in (bundle.manifest, config))
        if found != expected:
            raise UsageError(
                f"{folder} has the {name} {found}, {config.name} has {expected}; give the configuration that the "
                "bundle was trained with"
            )
    if bundle.manifest.compared is not None:
        raise UsageError(f"{folder} is in a lower precision already; give the bundle in fp32")
    return bundle


def lower(
    bundle: bundles.Bundle, config: Config, output: Path, tell: Callable[[str], None], target: PrecisionTarget
) -> None:
    """Write an `fp32_bundle` in the precision of `target`, without its checkpoint.

    `config` is what it was trained with; `tell` and the output are those of `write`.
    """
    with replacing(output, tell) as partial:
        fp32 = copytree(bundle.folder, partial.with_name("fp32"))
        write_description(lower_precision(bundles.load(fp32), partial, target, tell), config, None, partial)


@contextmanager
def replacing(folder: Path, tell: Callable[[str], None]) -> Iterator[Path]:
    """Give a folder to write a bundle to, beside which more may be written, and put it in the place of `folder`.

    UsageError where something other than a bundle is there.
    """
    folder = folder.resolve()
    if not can_hold_bundle(folder):
        raise UsageError(f"{folder} holds something other than a bundle; give an empty or a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"no bundle can be written to {folder} ({error}); give another folder") from error
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        partial = Path(name) / folder.name
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rename(Path(name) / "replaced")
        partial.rename(folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    tell(f"{folder}: {size / 1e6:.1f} MB")


def can_hold_bundle(folder: Path) -> bool:
    """Return whether a bundle may be written there: nothing is there, an empty folder, or another bundle."""
    if not folder.is_dir():
        return not folder.exists()
    try:
        bundles.decode_manifest((folder / bundles.MANIFEST).read_bytes(), folder)
    except (BundleError, OSError):
        return not any(folder.iterdir())
    return True


def fill(checkpoint: Checkpoint, folder: Path, tell: Callable[[str], None]) -> None:
    """Write every file of the bundle in fp32."""
    graphs = make_graphs(checkpoint, *examples(checkpoint))
    pieces = next(piece_spec(graph.module) for graph in graphs if graph.name == "audio_encoder")
    batches = BATCHES if pieces is None else PIECE_BATCHES
    entries = {}
    for graph in graphs:
        path = folder / f"{graph.name}.onnx"
        write_onnx(graph, path)
        onnx.checker.check_model(str(path), full_check=True)
        worst = largest_difference(graph, path)
        tell(f"{graph.name}: {size_mb(path):.2f} MB, largest difference from torch {worst:.1e}")
        entries[graph.name] = GraphEntry(
            **graph_files(path),
            precision="fp32",
            kept_fp32=[],
            tolerance=TOLERANCE,
            batch=batches[graph.name],
            inputs=[describe(name, tensor) for name, tensor in graph.inputs.items()],
            outputs=[describe(name, tensor) for name, tensor in graph.expected.items()],
        )
    write_golden(graphs, folder / GOLDEN)
    logits = next(graph.expected["logits"] for graph in graphs if graph.name == "fusion")
    config = checkpoint.config
    manifest = Manifest(
        schema=SCHEMA,
        name=config.name,
        version=config.version,
        labels=config.labels,
        audio=config.audio,
        video=config.video,
        graphs=Graphs(**entries),
        golden=File(GOLDEN, bundles.sha256(folder / GOLDEN)),
        compared=None,
        temperature=checkpoint.temperature,
        trained_on=trained_on(config, checkpoint.ancestor),
        licences=Licences(CODE_LICENCE, config.weights_licence),
        measured=checkpoint.measured,
        golden_probabilities=golden_probabilities(config.labels, logits, checkpoint.temperature),
        voice=config.audio_encoder.voice if isinstance(config.audio_encoder, NanoAudio) else None,
        pieces=pieces,
        video_head=read_video_head(folder / "fusion.onnx"),
    )
    write_description(manifest, config, checkpoint.ancestor, folder)


def write_description(manifest: Manifest, config: Config, ancestor: Ancestor | None, folder: Path) -> None:
    """Write the manifest, the model card and the licence, then open the bundle as the runtime does."""
    write_manifest(manifest, folder)
    (folder / "README.md").write_text(model_card(manifest, config, version("torch"), ancestor))
    (folder / "LICENSE").write_text(licence(manifest))
    check_on_cpu(bundles.load(folder))


def check_on_cpu(bundle: bundles.Bundle) -> None:
    """Run a bundle on its golden vectors as the runtime does; BundleError if its outputs differ."""
    entry = get_entry("onnxruntime")
    check_golden(entry, bundle, OrtBackend(bundle), "as the runtime will", must_prove=True)


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write `manifest.json`, or replace it whole."""
    partial = folder / f".{bundles.MANIFEST}"
    partial.write_bytes(encode_manifest(manifest))
    partial.replace(folder / bundles.MANIFEST)


def golden_probabilities(labels: list[str], logits: Tensor, temperature: float) -> dict[str, list[float]]:
    """Return each label's calibrated probabilities, one for each row of the fusion's golden logits `[batch, C]`."""
    columns = torch.softmax(logits.double() / temperature, dim=-1).T.tolist()
    return {
        label: [round(prob, golden.DIGITS) for prob in column] for label, column in zip(labels, columns, strict=True)
    }


def complete(folder: Path) -> None:
    """Write into a bundle what an earlier export left out: its golden probabilities and its video head.

    The former are those of its own labels and temperature, the latter that of its own fusion.
    """
    bundle = bundles.load(folder)
    check_on_cpu(bundle)
    manifest, logits = bundle.manifest, torch.from_numpy(golden.load(bundle)["fusion"]["logits"])
    found = golden_probabilities(manifest.labels, logits, manifest.temperature)
    head = manifest.video_head or read_video_head(bundle.path(manifest.graphs.fusion.file))
    write_manifest(msgspec.structs.replace(manifest, golden_probabilities=found, video_head=head), folder)
    check_on_cpu(bundles.load(folder))


def examples(checkpoint: Checkpoint) -> tuple[Tensor, Tensor, Tensor]:
    """Return the golden inputs: the demo's drawn faces and its synthesised voices, whole, short and absent.

    Returns frames uint8 `[N, H, W, 3]`, waveform float32 `[3, S]` and length int64 `[3]`.
    """
    audio, video = checkpoint.config.audio, checkpoint.config.video
    framings = [make_framing(video.framing, video.height, video.width) for _ in demo.MOODS]
    crops = [framing(demo.face(mood)).crop for framing, mood in zip(framings, demo.MOODS, strict=True)]
    frames = torch.from_numpy(np.stack([crop for crop in crops if crop is not None]))
    waveform = torch.zeros(3, audio.samples)
    sung = [torch.from_numpy(demo.voice(mood, audio.rate_hz)) for mood in demo.MOODS]
    whole = torch.cat(sung)[: audio.samples]
    half = sung[1][: audio.samples // 2]
    waveform[0, : len(whole)], waveform[2, : len(half)] = whole, half
    waveform = (waveform / WAVEFORM_STEP).round() * WAVEFORM_STEP
    return frames, waveform, torch.tensor([len(whole), 0, len(half)])


def describe(name: str, tensor: Tensor) -> TensorEntry:
    """Return a tensor's entry in the manifest, its first dimension named `batch`."""
    return TensorEntry(name, DTYPES[tensor.dtype], ["batch", *tensor.shape[1:]])  # type: ignore[arg-type]


def write_golden(graphs: list[Graph], path: Path) -> None:
    """Write the inputs and torch's outputs of every graph, named `graph/tensor`."""
    arrays = {
        f"{graph.name}/{name}": tensor.numpy()
        for graph in graphs
        for name, tensor in {**graph.inputs, **graph.expected}.items()
    }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
