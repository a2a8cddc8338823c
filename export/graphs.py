"""Foal-Net's three graphs as ONNX, each with a dynamic batch.

Dimensions: N frames, B windows, S samples, Ta/Tv tokens, Da/Dv their widths, C classes, E embedding width.
"""

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx_ir
import torch
from onnxscript import opset18
from onnxscript.function_libs.torch_lib.ops.core import aten_index_put
from onnxscript.optimizer import fold_constants
from torch import Tensor, nn

from edge.bundle.manifest import PieceSpec
from train.checkpoint import Checkpoint
from train.encoders.nano_audio import TOKEN_SAMPLES, NanoAudioEncoder
from train.encoders.nano_pieces import PieceEncoder
from train.foalnet import graph_modules
from train.fusion import Fused, Tokens

OPSET = 18
"""ONNX opset of the graphs; from 17 on LayerNormalization is one operator."""
LARGEST_FOLDED = 10**8
"""Largest tensor, in elements, that is folded: WavLM stores its positional weights as direction and length."""
LARGEST_INLINE = 10**9
"""Largest size of the weights, in bytes, that are stored inside the graph's own file."""

EXPORTER_NOISE = (
    "`isinstance\\(treespec, LeafSpec\\)` is deprecated",
    "# The axis name: batch will not be used",
    "divide by zero encountered in log",
    "invalid value encountered in cast",
)
"""Warnings of torch's exporter about its own internals, inputs that share one batch, and constants that it folds."""
QUIET_LOGGERS = ("torch.onnx._internal.exporter._registration", "onnxscript.optimizer._constant_folding", "onnx_ir")
"""Loggers whose warnings concern only the exporter itself."""


@dataclass(frozen=True)
class Graph:
    """Graph to export."""

    name: str
    """Name in the manifest."""
    module: nn.Module
    inputs: dict[str, Tensor]
    """Example inputs by name; their first dimension is the batch."""
    outputs: list[str]

    @cached_property
    def expected(self) -> dict[str, Tensor]:
        """Torch's outputs for the example inputs; computed once."""
        with torch.no_grad():
            made = self.module(*self.inputs.values())
        return dict(zip(self.outputs, (made,) if isinstance(made, Tensor) else made, strict=True))


def make_graphs(checkpoint: Checkpoint, frames: Tensor, waveform: Tensor, length: Tensor) -> list[Graph]:
    """Return the three graphs with example inputs.

    Args:
        checkpoint: a whole checkpoint, both encoders included.
        frames: uint8 `[N, H, W, 3]`.
        waveform: float32 `[B, S]`, B at least 3.
        length: int64 `[B]`, samples.

    The fusion's examples are the encoders' outputs: every window holds the first frames, the last window holds none,
    so that the masks matter. Those of an audio encoder that takes pieces are ends of the windows.
    """
    model, config = checkpoint.model.eval().float(), checkpoint.config
    modules = graph_modules(model)
    image_graph = Graph("image_encoder", modules["image_encoder"], {"frames": frames}, ["embedding"])
    audio_encoder = modules["audio_encoder"]
    pieces = piece_spec(audio_encoder)
    if pieces is None:
        audio_inputs = {"waveform": waveform, "length": length}
    else:
        assert isinstance(audio_encoder, PieceEncoder), "only it takes pieces"
        audio_inputs = piece_examples(audio_encoder, waveform, length)
    audio_graph = Graph("audio_encoder", audio_encoder, audio_inputs, audio_tensors(audio_encoder)[1])
    if pieces is None:
        audio_tokens, audio_mask = audio_graph.expected["tokens"], audio_graph.expected["mask"]
    else:
        assert isinstance(model.audio_encoder, NanoAudioEncoder), "only its tokens are made of pieces"
        with torch.no_grad():
            audio_tokens, audio_mask = model.audio_encoder.local_tokens(waveform, length)
    image_embedding = image_graph.expected["embedding"]
    frames_per_window = round(config.video.rate_hz * config.audio.window_s)
    tokens = torch.zeros(len(waveform), frames_per_window, image_embedding.shape[1])
    mask = torch.zeros(len(waveform), frames_per_window, dtype=torch.bool)
    tokens[:-1, : len(image_embedding)], mask[:-1, : len(image_embedding)] = image_embedding, True
    fusion_inputs = dict(zip(Tokens._fields, (audio_tokens, audio_mask, tokens, mask), strict=True))
    return [image_graph, audio_graph, Graph("fusion", modules["fusion"], fusion_inputs, list(Fused._fields))]


def piece_spec(audio_encoder: nn.Module) -> PieceSpec | None:
    """Return the pieces that the module of an audio encoder's graph takes; None if it takes whole windows."""
    return audio_encoder.pieces if isinstance(audio_encoder, PieceEncoder) else None


def audio_tensors(audio_encoder: nn.Module) -> tuple[list[str], list[str]]:
    """Return the inputs and outputs of an audio encoder's module, by their names in the manifest."""
    voice = ["voice"] if getattr(audio_encoder, "has_voice", False) else []
    if piece_spec(audio_encoder) is not None:
        return ["waveform", "end", "before", "known"], ["tokens", "frames", *voice]
    return ["waveform", "length"], ["tokens", "mask", *voice]


@torch.no_grad()
def piece_examples(encoder: PieceEncoder, waveform: Tensor, length: Tensor) -> dict[str, Tensor]:
    """Return the newest piece of each waveform `[B, S]` as inputs of the audio encoder.

    Of the last, only the newest two tokens and a part are sound, as at a sound's begin.
    """
    spec, rows = encoder.pieces, list[dict[str, Tensor]]()
    assert spec.frames is not None, "an audio encoder that takes frames"
    for row, samples in zip(waveform, length.tolist(), strict=True):
        first = 0 if len(rows) < len(waveform) - 1 else max(0, -(-samples // TOKEN_SAMPLES) - 3) * TOKEN_SAMPLES
        sound = row[first:samples]
        newest = max(-(-len(sound) // TOKEN_SAMPLES), spec.seen)
        start, overlap = newest - spec.tokens, spec.overlap
        padded = nn.functional.pad(sound, (overlap, newest * TOKEN_SAMPLES + overlap - len(sound)))
        frames = encoder.log_mel.decades(padded[None]).reshape(newest, -1)[:start][-spec.frames.before :]
        rows.append(
            {
                "waveform": padded[start * TOKEN_SAMPLES :],
                "end": torch.tensor(len(sound) - start * TOKEN_SAMPLES),
                "before": nn.functional.pad(frames, (0, 0, spec.frames.before - len(frames), 0)),
                "known": torch.tensor(len(frames)),
            }
        )
    return {name: torch.stack([row[name] for row in rows]) for name in audio_tensors(encoder)[0]}


def write_onnx(graph: Graph, path: Path) -> None:
    """Export one graph with torch's dynamo exporter."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    with quiet_exporter():
        program = torch.onnx.export(
            graph.module,
            tuple(graph.inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(graph.inputs),
            output_names=graph.outputs,
            dynamic_shapes=tuple({0: batch} for _ in graph.inputs),
            custom_translation_table={
                torch.ops.aten.index_put.default: index_put_as_where,
                torch.ops.aten.gelu.default: gelu_in_order,
            },
            external_data=False,
            optimize=True,
            verbose=False,
        )
        assert program is not None, "the dynamo exporter returns a program"
        limits = {"input_size_limit": LARGEST_FOLDED, "output_size_limit": LARGEST_FOLDED}
        fold_constants(program.model, onnx_shape_inference=False, **limits)
    strip_metadata(program.model.graph)
    cast_pixels_first(program.model.graph)
    save(program.model, path)


def index_put_as_where(tensor: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """Translate `tensor[mask] = values` to Where; no engine takes the exporter's NonZero, whose shape is unknown.

    WavLM's layers set their padding to zero this way.
    """
    if len(indices) == 1 and indices[0].dtype == onnx_ir.DataType.BOOL and not accumulate:
        return opset18.Where(indices[0], values, tensor)
    return aten_index_put(tensor, indices, values, accumulate)


def gelu_in_order(x: Any, approximate: str = "none") -> Any:
    """Translate the exact GELU to the order of operators that ONNX Runtime replaces by one of its own."""
    assert approximate == "none", "the exact GELU"
    shifted = opset18.Add(opset18.Erf(opset18.Div(x, math.sqrt(2))), 1.0)
    return opset18.Mul(opset18.Mul(x, shifted), 0.5)


def save(model: onnx_ir.Model, path: Path) -> None:
    """Write a graph; large weights go into a separate file beside it, because protobuf is limited to 2 GB."""
    size = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None)
    onnx_ir.save(model, path, external_data=weights_path(path).name if size > LARGEST_INLINE else None)


def weights_path(path: Path) -> Path:
    """Return the path of a graph's separate weights file, whether it exists or not."""
    return path.with_suffix(".weights")


def strip_metadata(graph: onnx_ir.Graph) -> None:
    """Remove the exporter's metadata of each node: it quotes source lines and folders of the exporting machine."""
    graph.metadata_props.clear()
    for node in graph.all_nodes():
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()


def cast_pixels_first(graph: onnx_ir.Graph) -> None:
    """Read the shape of uint8 inputs from their Cast: TensorRT accepts uint8 as the input of a Cast only."""
    for pixels in graph.inputs:
        casts = [node for node in pixels.consumers() if node.op_type == "Cast"]
        if pixels.dtype != onnx_ir.DataType.UINT8 or not casts:
            continue
        for node, index in tuple(pixels.uses()):
            if node.op_type == "Shape":
                node.replace_input_with(index, casts[0].outputs[0])
    graph.sort()


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Hide known warnings of torch's exporter about itself, such as the one that torchvision is not installed."""
    loggers = [logging.getLogger(name) for name in QUIET_LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for remark in EXPORTER_NOISE:
                warnings.filterwarnings("ignore", remark)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
