"""A bundle of whole windows with graphs that a hand can reckon: tokens are means, the fusion adds what masks let."""

from pathlib import Path

import onnx
from msgspec.structs import replace
from onnx import TensorProto as T
from onnx import helper as h

from edge.bundle.load import Bundle
from edge.bundle.manifest import File, Graphs, Manifest

KINDS = {"uint8": T.UINT8, "bool": T.BOOL, "int64": T.INT64, "float32": T.FLOAT}
NODES = {
    "image_encoder": [
        h.make_node("Cast", ["frames"], ["pixels"], to=T.FLOAT),
        h.make_node("ReduceMean", ["pixels"], ["embedding"], axes=[1, 2], keepdims=0),
    ],
    "audio_encoder": [
        h.make_node("Reshape", ["waveform", "split"], ["parts"]),
        h.make_node("ReduceMean", ["parts"], ["tokens"], axes=[3], keepdims=0),
        h.make_node("Unsqueeze", ["length", "one"], ["end"]),
        h.make_node("Greater", ["end", "begins"], ["mask"]),
    ],
    "fusion": [
        h.make_node("Cast", ["audio_mask"], ["heard"], to=T.FLOAT),
        h.make_node("Unsqueeze", ["heard", "two"], ["wide"]),
        h.make_node("Mul", ["audio_tokens", "wide"], ["counted"]),
        h.make_node("ReduceSum", ["counted", "one"], ["audio_embedding"], keepdims=0),
        h.make_node("Cast", ["video_mask"], ["seen"], to=T.FLOAT),
        h.make_node("ReduceSum", ["seen", "one"], ["count"], keepdims=1),
        h.make_node("ReduceSum", ["video_tokens", "one"], ["sum"], keepdims=0),
        h.make_node("Slice", ["sum", "zero", "two", "one"], ["first"]),
        h.make_node("Mul", ["first", "count"], ["video_embedding"]),
        h.make_node("Add", ["audio_embedding", "video_embedding"], ["logits"]),
    ],
}
CONSTANTS = {"split": [-1, 4, 2, 250], "one": [1], "two": [2], "zero": [0]}


def make_bundle(manifest: Manifest, folder: Path) -> Bundle:
    """The bundle of the tests' small manifest, its graphs in a folder."""
    constants = [h.make_tensor(name, T.INT64, [len(values)], values) for name, values in CONSTANTS.items()]
    constants.append(h.make_tensor("begins", T.INT64, [1, 4], [0, 500, 1000, 1500]))
    entries = {}
    for name, entry in manifest.graphs.by_name().items():
        inputs, outputs = (
            [h.make_tensor_value_info(each.name, KINDS[each.dtype], each.shape) for each in side]
            for side in (entry.inputs, entry.outputs)
        )
        used = {given for node in NODES[name] for given in node.input}
        graph = h.make_graph(NODES[name], name, inputs, outputs, [each for each in constants if each.name in used])
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{name}.onnx")
        entries[name] = replace(entry, file=File(f"{name}.onnx", "0" * 64))
    return Bundle(folder, replace(manifest, graphs=Graphs(**entries)))
