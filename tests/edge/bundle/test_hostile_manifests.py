"""Manifests made to do harm: damaged, out of range, or at odds with themselves; refused before a graph is read."""

import os
from pathlib import Path

import pytest

from edge.bundle.load import SHIPPED, load
from tests.edge.made_bundles import AGAIN, EXPORT, Case, Folder, assert_refused, assert_refused_in_512_mb

OUTPUTS = ("outputs", 0, "shape")
VOICE = {"threshold": 0.5, "least_s": 1.0}
GRAPHS = load(SHIPPED).manifest.graphs
_, TOKENS, WIDTH = GRAPHS.audio_encoder.outputs[0].shape
_, EMBEDDING = GRAPHS.image_encoder.outputs[0].shape


def set_voice(folder: Folder, shape: list[str | int] | None, voice: dict[str, float] | None) -> None:
    """Say that the audio encoder has an output `voice` of this shape, or none, and whether the bundle knows voices."""
    outputs = [("tokens", "float32", ["batch", TOKENS, WIDTH]), ("mask", "bool", ["batch", TOKENS])]
    if shape:
        outputs.append(("voice", "float32", shape))
    entries = [{"name": name, "dtype": dtype, "shape": sizes} for name, dtype, sizes in outputs]
    folder.edit(entries, "graphs", "audio_encoder", "outputs")
    folder.edit(voice, "voice")


CASES: dict[str, Case] = {
    "wrong hash": (
        lambda f: f.edit("0" * 64, "golden", "sha256"),
        ["golden.npz", "its sha256 is ", "says 0000", AGAIN],
    ),
    "no hash": (lambda f: f.edit("md5", "golden", "sha256"), ["golden.sha256", "found 'md5'", AGAIN]),
    "unknown field": (
        lambda f: f.edit("rm -rf", "graphs", "fusion", "hook"),
        ["graphs.fusion: 'hook' is none of batch, ", AGAIN],
    ),
    "newer schema": (lambda f: f.edit(2, "schema"), ["has schema 2", "reads schema 1", "update foal-edge"]),
    "manifest of 300 MB": (
        lambda f: os.truncate(f.manifest, 300_000_000),
        ["has 300000000 bytes", "at most 1048576 are expected", AGAIN],
    ),
    "manifest nested deep": (lambda f: f.manifest.write_text('{"a":' + "[" * 500_000), ["is damaged", AGAIN]),
    "labels twice": (
        lambda f: f.edit(["sad", "happy", "sad", "angry"], "labels"),
        ["label 'sad' more than once", "differ", EXPORT],
    ),
    "labels empty": (lambda f: f.edit([], "labels"), ["a list that is not empty", "labels", "found []", AGAIN]),
    "a label empty": (lambda f: f.edit(["", "a", "b", "c"], "labels"), ["labels[0]", "found ''", AGAIN]),
    "labels fewer than logits": (lambda f: f.edit(["a", "b"], "labels"), ["has 2 labels (a, b) for 4 logits", EXPORT]),
    "no sound": (
        lambda f: f.edit(0, "sound", "rate_hz"),
        ["a whole number from 1 to 384000", "sound.rate_hz", "found 0", AGAIN],
    ),
    "sound backwards": (lambda f: f.edit(-16000, "sound", "rate_hz"), ["from 1 to", "found -16000", AGAIN]),
    "window of 30 years": (lambda f: f.edit(1e9, "sound", "window_s"), ["at most 60", "found 1000000000.0", AGAIN]),
    "picture rate 0": (lambda f: f.edit(0, "picture", "rate_hz"), ["above 0", "picture.rate_hz", "found 0", AGAIN]),
    "picture of 10 GB": (lambda f: f.edit(60000, "picture", "height"), ["from 1 to 4096", "found 60000", AGAIN]),
    "temperature 0": (lambda f: f.edit(0, "temperature"), ["from 0.01 to 100", "temperature", "found 0", AGAIN]),
    "temperature NaN": (lambda f: f.edit(float("nan"), "temperature"), ["no JSON: invalid character at byte ", AGAIN]),
    "temperature infinite": (
        lambda f: (
            f.edit(54.321, "temperature") or f.manifest.write_text(f.manifest.read_text().replace("54.321", "1e999"))
        ),
        ["expected a number from 0.01", "temperature", AGAIN],
    ),
    "tolerance negative": (
        lambda f: f.edit(-1e-3, "graphs", "fusion", "tolerance"),
        ["above 0", "graphs.fusion.tolerance", "found -0.001", AGAIN],
    ),
    "tolerance of anything": (lambda f: f.edit(1e30, "graphs", "fusion", "tolerance"), ["at most 100", "1e+30", AGAIN]),
    "batch of none": (
        lambda f: f.edit(0, "graphs", "fusion", "batch", "largest"),
        ["from 1 to 1024", "found 0", AGAIN],
    ),
    "batch usual above largest": (
        lambda f: f.edit(33, "graphs", "fusion", "batch", "usual"),
        ["fusion.onnx has a usual batch of 33", "largest of 32", EXPORT],
    ),
    "dimension negative": (
        lambda f: f.edit(["batch", -1], "graphs", "fusion", *OUTPUTS),
        ["of at least 1", "graphs.fusion.outputs[0].shape[1]", "found -1", AGAIN],
    ),
    "embedding other than the fusion's": (
        lambda f: f.edit(["batch", 30, 96], "graphs", "fusion", "inputs", 2, "shape"),
        ["image_encoder.onnx has outputs", f"['*', {EMBEDDING}]", "need", "['*', 96]", EXPORT],
    ),
    "tokens other than the fusion's": (
        lambda f: f.edit(["batch", TOKENS, 96], "graphs", "audio_encoder", *OUTPUTS),
        ["audio_encoder.onnx has outputs", f"['*', {TOKENS}, 96]", "need", f"['*', {TOKENS}, {WIDTH}]", EXPORT],
    ),
    "frames other than the picture": (
        lambda f: f.edit(96, "picture", "height"),
        ["image_encoder.onnx has inputs", "['*', 64, 64, 3]", "need", "['*', 96, 64, 3]", EXPORT],
    ),
    "waveform other than the sound": (
        lambda f: f.edit(8000, "sound", "rate_hz"),
        ["audio_encoder.onnx has inputs", "['*', 14150]", "need", "['*', 7150]", EXPORT],
    ),
    "more tokens of a piece than it holds": (
        lambda f: f.edit(25, "pieces", "given"),
        ["foal-nano has pieces that give 12 tokens of which 25 are right and 2 unsettled", "at most all", EXPORT],
    ),
    "a piece without a settled token": (
        lambda f: f.edit(9, "pieces", "unsettled"),
        ["foal-nano has pieces that give 12 tokens of which 9 are right and 9 unsettled", "fewer unsettled", EXPORT],
    ),
    "tokens of a part of a sample": (
        lambda f: f.edit(6.0001, "sound", "window_s"),
        ["foal-nano takes pieces, and a window of 96002 samples has 48 tokens", "a whole number of samples", EXPORT],
    ),
    "pieces other than the audio encoder's": (
        lambda f: f.edit(11, "pieces", "frames", "seen"),
        ["audio_encoder.onnx has outputs", "['*', 12, 160]", "need", "['*', 11, 160]", EXPORT],
    ),
    "frames other than the audio encoder's": (
        lambda f: f.edit(16, "pieces", "frames", "before"),
        ["audio_encoder.onnx has inputs", "['*', 17, 512]", "need", "['*', 16, 512]", EXPORT],
    ),
    "pieces that see more than is given them": (
        lambda f: f.edit(25, "pieces", "frames", "seen"),
        ["foal-nano has pieces of 7 tokens with the frames of 17 before, that give 25", "at most those", EXPORT],
    ),
    "pieces of more than they give": (
        lambda f: f.edit(13, "pieces", "tokens"),
        ["foal-nano has pieces of 13 tokens with the frames of 17 before, that give 12", "at least its own", EXPORT],
    ),
    "pieces that the audio encoder does not take": (
        lambda f: f.edit(None, "pieces"),
        ["audio_encoder.onnx has inputs", "('known', 'int64', ['*'])", "need", "('length', 'int64', ['*'])", EXPORT],
    ),
    "a field of pieces that nobody knows": (
        lambda f: f.edit(1, "pieces", "stride"),
        ["is damaged", "stride", AGAIN],
    ),
    "frames of a window other than the fusion's": (
        lambda f: f.edit(10, "picture", "rate_hz"),
        ["fusion.onnx has inputs", f"['*', 30, {EMBEDDING}]", "need", f"['*', 60, {EMBEDDING}]", EXPORT],
    ),
    "no embedding": (
        lambda f: f.edit([{"name": "logits", "dtype": "float32", "shape": ["b", 4]}], "graphs", "fusion", "outputs"),
        ["fusion.onnx has outputs [('logits', 'float32', ['*', 4])]", "need", "audio_embedding", EXPORT],
    ),
    "voice without its output": (
        lambda f: set_voice(f, None, VOICE),
        ["has the field voice without the output", "expected together, or neither", EXPORT],
    ),
    "output of a voice without its field": (
        lambda f: set_voice(f, ["batch", TOKENS], None),
        ["has the output voice without the field", "expected together, or neither", EXPORT],
    ),
    "voice of other tokens": (
        lambda f: set_voice(f, ["batch", 33], VOICE),
        ["audio_encoder.onnx has outputs", "('voice', 'float32', ['*', 33])", "need", f"['*', {TOKENS}])]", EXPORT],
    ),
    "more voice than a window": (
        lambda f: set_voice(f, ["batch", TOKENS], VOICE | {"least_s": 6.5}),
        ["asks for 6.5 s of voice in a window of 6 s", "at most the window", EXPORT],
    ),
    "a video head of other labels": (
        lambda f: f.edit([0.0] * 3, "video_head", "bias"),
        ["has a video_head of 3 biases and 2048 bytes of weights, 4 and 2048 are expected", EXPORT],
    ),
    "a video head of other embeddings": (
        lambda f: f.edit("AAAAAA==", "video_head", "weight"),
        ["has a video_head of 4 biases and 4 bytes of weights, 4 and 2048 are expected", EXPORT],
    ),
    "a video head that is no bytes": (
        lambda f: f.edit("?", "video_head", "weight"),
        ["is damaged", "video_head.weight", AGAIN],
    ),
    "voice that is certain": (
        lambda f: f.edit(VOICE | {"threshold": 1.0}, "voice"),
        ["voice.threshold", "above 0", "found 1.0", AGAIN],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused(shipped_copy: Folder, name: str) -> None:
    assert_refused(shipped_copy, CASES[name], load)


def test_written_again_unchanged_it_is_not_refused(shipped_copy: Folder) -> None:
    shipped_copy.edit(1, "schema")
    assert load(shipped_copy.path).manifest == load(SHIPPED).manifest


def test_one_of_300_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    name = "manifest of 300 MB"
    assert_refused_in_512_mb({name: CASES[name]}, tmp_path)
