"""Consistency of a manifest: its labels, rates and sizes against the tensors of the three graphs.

Dimensions: H, W the sides of an image; S samples and Tv frames of a window; P samples and Tp tokens of a piece, Ts
the tokens that it gives, Tb those before it whose frames it takes, Df their width; C labels, all as the manifest gives
them; Dv, Ta, Da, E as the fusion's tensors say. `*` is the batch.
"""

from collections import Counter
from pathlib import Path

from ..errors import BundleError
from .manifest import GraphName, Manifest, Tensor, sizes

TensorSpecs = list[tuple[str, str, list[int | str]]]
"""Name, type and shape of each tensor."""

REQUIRED_TENSORS: dict[GraphName, dict[str, TensorSpecs]] = {
    "image_encoder": {
        "inputs": [("frames", "uint8", ["*", "H", "W", 3])],
        "outputs": [("embedding", "float32", ["*", "Dv"])],
    },
    "audio_encoder": {
        "inputs": [("waveform", "float32", ["*", "S"]), ("length", "int64", ["*"])],
        "outputs": [("tokens", "float32", ["*", "Ta", "Da"]), ("mask", "bool", ["*", "Ta"])],
    },
    "fusion": {
        "inputs": [
            ("audio_tokens", "float32", ["*", "Ta", "Da"]),
            ("audio_mask", "bool", ["*", "Ta"]),
            ("video_tokens", "float32", ["*", "Tv", "Dv"]),
            ("video_mask", "bool", ["*", "Tv"]),
        ],
        "outputs": [
            ("logits", "float32", ["*", "C"]),
            ("audio_embedding", "float32", ["*", "E"]),
            ("video_embedding", "float32", ["*", "E"]),
        ],
    },
}

PIECE_TENSORS: dict[str, TensorSpecs] = {
    "inputs": [("waveform", "float32", ["*", "P"]), ("begin", "int64", ["*"]), ("end", "int64", ["*"])],
    "outputs": [("tokens", "float32", ["*", "Ts", "Da"])],
}
"""Tensors of an audio encoder whose manifest has the field `pieces`; `begin` and `end` are samples of the waveform."""

FRAME_TENSORS: dict[str, TensorSpecs] = {
    "inputs": [
        ("waveform", "float32", ["*", "P"]),
        ("end", "int64", ["*"]),
        ("before", "float32", ["*", "Tb", "Df"]),
        ("known", "int64", ["*"]),
    ],
    "outputs": [("tokens", "float32", ["*", "Ts", "Da"]), ("frames", "float32", ["*", "Tp", "Df"])],
}
"""The same where the field `pieces` has `frames`; `known` are the newest tokens of `before` that are sound."""

FLOAT_BYTES = 4
"""Size of a float32."""
VOICE = "voice"
"""Last output of an audio encoder whose manifest has the field `voice`; of no other."""


def check(manifest: Manifest, folder: Path) -> None:
    """Raise BundleError where two parts of the manifest of the bundle in `folder` contradict each other."""
    check_labels(manifest)
    check_voice(manifest)
    check_pieces(manifest)
    check_video_head(manifest)
    known = dimensions(manifest)
    for name, entry in manifest.graphs.by_name().items():
        path = folder / entry.file.path
        if entry.batch.usual > entry.batch.largest:
            raise BundleError(
                f"{path} has a usual batch of {entry.batch.usual} rows, by the manifest, "
                f"at most its largest of {entry.batch.largest} is expected; export the checkpoint again"
            )
        for side, found in (("inputs", entry.inputs), ("outputs", entry.outputs)):
            check_tensors(path, side, found, required_tensors(manifest, name, side), known)


def required_tensors(manifest: Manifest, name: GraphName, side: str) -> TensorSpecs:
    """Return the tensors that one side of a graph must have, `inputs` or `outputs`."""
    if name != "audio_encoder":
        return REQUIRED_TENSORS[name][side]
    required, tokens = REQUIRED_TENSORS[name], "Ta"
    if manifest.pieces is not None:
        required, tokens = FRAME_TENSORS if manifest.pieces.frames else PIECE_TENSORS, "Ts"
    has_voice = manifest.voice is not None and side == "outputs"
    voice: TensorSpecs = [(VOICE, "float32", ["*", tokens])] if has_voice else []
    return [*required[side], *voice]


def dimensions(manifest: Manifest) -> dict[str, int]:
    """Return the size of each dimension's letter, as far as the fusion's tensors have the dimensions to give it."""
    known = {
        "H": manifest.video.height,
        "W": manifest.video.width,
        "S": manifest.audio.samples,
        "Tv": manifest.frames,
        "C": len(manifest.labels),
    }
    fusion = manifest.graphs.fusion
    for side, found in (("inputs", fusion.inputs), ("outputs", fusion.outputs)):
        for tensor, (_, _, letters) in zip(found, REQUIRED_TENSORS["fusion"][side], strict=False):
            for size, letter in zip(tensor.shape[1:], letters[1:], strict=False):
                if isinstance(size, int):
                    known.setdefault(str(letter), size)
    if manifest.pieces is not None:
        pieces = manifest.pieces
        known |= {"P": manifest.piece_samples, "Tp": pieces.tokens, "Ts": pieces.seen}
        if pieces.frames is not None:
            known |= {"Tb": pieces.frames.before, "Df": pieces.frames.width}
    return known


def check_labels(manifest: Manifest) -> None:
    """Raise BundleError where two labels are the same, or there are not as many as the fusion has logits."""
    repeated = [label for label, count in Counter(manifest.labels).items() if count > 1]
    if repeated:
        raise BundleError(
            f"{manifest.name} has the label {repeated[0]!r} more than once ({', '.join(manifest.labels)}), "
            "labels that differ are expected; export the checkpoint again"
        )
    classes = {tensor.name: tensor.shape[-1] for tensor in manifest.graphs.fusion.outputs if tensor.shape}.get("logits")
    if classes != len(manifest.labels):
        raise BundleError(
            f"{manifest.name} has {len(manifest.labels)} labels ({', '.join(manifest.labels)}) "
            f"for {classes} logits; export the checkpoint again"
        )


def check_voice(manifest: Manifest) -> None:
    """Raise BundleError where no window can hold the voice asked for, or the field and the output do not go together.

    The output `voice` of the audio encoder goes with the manifest's field `voice`.
    """
    voice, window_s = manifest.voice, manifest.audio.window_s
    has_output = any(tensor.name == VOICE for tensor in manifest.graphs.audio_encoder.outputs)
    if has_output != (voice is not None):
        found, lacking = ("output", "field") if has_output else ("field", "output")
        raise BundleError(
            f"{manifest.name} has the {found} voice without the {lacking}: the audio encoder's output voice and the "
            "manifest's field voice are expected together, or neither; export the checkpoint again"
        )
    if voice is not None and voice.least_s > window_s:
        raise BundleError(
            f"{manifest.name} asks for {voice.least_s:g} s of voice in a window of {window_s:g} s, "
            "at most the window is expected; export the checkpoint again"
        )


def check_pieces(manifest: Manifest) -> None:
    """Raise BundleError where pieces give no settled token, or more than they hold, or tokens have no whole samples."""
    pieces, remedy = manifest.pieces, "export the checkpoint again"
    if pieces is None:
        return
    most = pieces.seen if pieces.frames else pieces.tokens
    if not pieces.unsettled < pieces.given <= most:
        raise BundleError(
            f"{manifest.name} has pieces that give {most} tokens of which {pieces.given} are right and "
            f"{pieces.unsettled} unsettled, at most all right and fewer unsettled than that are expected; {remedy}"
        )
    frames = pieces.frames
    if frames is not None and not 0 <= frames.seen - pieces.tokens <= frames.before:
        raise BundleError(
            f"{manifest.name} has pieces of {pieces.tokens} tokens with the frames of {frames.before} before, that "
            f"give {frames.seen}; at least its own tokens and at most those with frames are expected; {remedy}"
        )
    shape, samples = manifest.graphs.fusion.inputs[:1], manifest.audio.samples
    tokens = shape[0].shape[1] if shape and len(shape[0].shape) > 1 else None
    if not isinstance(tokens, int) or samples % tokens:
        raise BundleError(
            f"{manifest.name} takes pieces, and a window of {samples} samples has {tokens} tokens, "
            f"tokens of a whole number of samples are expected; {remedy}"
        )


def check_video_head(manifest: Manifest) -> None:
    """Raise BundleError where the video head has other sizes than the labels and the embeddings."""
    head, labels = manifest.video_head, len(manifest.labels)
    shape = [size for tensor in manifest.graphs.image_encoder.outputs for size in tensor.shape[1:]]
    width = shape[0] if len(shape) == 1 else None
    if head is None or not isinstance(width, int):
        return
    if (len(head.bias), len(head.weight)) != (labels, labels * width * FLOAT_BYTES):
        raise BundleError(
            f"{manifest.name} has a video_head of {len(head.bias)} biases and {len(head.weight)} bytes of weights, "
            f"{labels} and {labels * width * FLOAT_BYTES} are expected, by its labels and the image encoder; "
            "export the checkpoint again"
        )


def check_tensors(path: Path, side: str, found: list[Tensor], required: TensorSpecs, known: dict[str, int]) -> None:
    """Raise BundleError unless a graph's tensors are the required ones, with the dimensions that are known."""
    actual = [(tensor.name, tensor.dtype, sizes(tensor.shape)) for tensor in found]
    expected = [(name, dtype, [known.get(str(letter), letter) for letter in shape]) for name, dtype, shape in required]
    if actual != expected:
        raise BundleError(
            f"{path} has {side} {actual}, by the manifest, whose labels, sound, picture and other graphs "
            f"need {expected}; export the checkpoint again"
        )
