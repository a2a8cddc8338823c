"""Tiny bundles whose audio encoder takes pieces of sound, with frames of those before or without, in numpy.

A token is made of its own samples, those of the three tokens before it and those of the token after it, and knows how
much of that is sound. Small numbers, so that a thousand windows take seconds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace

from edge.bundle.manifest import Frames, Manifest, PieceSpec, Tensor
from tests.conftest import NumpyBackend

RATE_HZ, T, WINDOW = 1000, 100, 20
"""Samples a second and in a token, tokens in a window."""
SPEC = PieceSpec(tokens=6, given=3, unsettled=1)
BEFORE, AFTER = SPEC.tokens - SPEC.given, SPEC.unsettled
OVERLAP = 10
"""Samples on either side on which a frame depends."""
FRAMES_SPEC = PieceSpec(tokens=3, given=3, unsettled=1, frames=Frames(before=3, width=T, seen=4, overlap=OVERLAP))
WEIGHTS = np.random.default_rng(7).normal(size=(BEFORE + 1 + AFTER) * T)
WEIGHTS[-OVERLAP:] = 0  # a token that is settled depends on no sample beyond the token after it


def frames_of(sound: np.ndarray) -> np.ndarray:
    """Frames `[n]` of a waveform `[10 + n + 10]`, all that is there to either side."""
    return sound[OVERLAP:-OVERLAP] + sound[: -2 * OVERLAP] / 2 - sound[2 * OVERLAP :] / 4


def tokens_of(sound: np.ndarray, begin: int, end: int, first: int, count: int) -> np.ndarray:
    """Tokens `[count, 2]` of a waveform that is sound from `begin` to `end`, all that is there to either side."""
    padded, is_sound = (np.pad(each, (BEFORE * T, (AFTER + 1) * T)) for each in (sound, np.ones(len(sound))))
    place = np.arange(len(padded)) - BEFORE * T
    is_sound = is_sound * (place >= begin) * (place < end)
    rows = [slice(k * T, k * T + len(WEIGHTS)) for k in range(first, first + count)]
    return np.array([[(padded * is_sound)[row] @ WEIGHTS, is_sound[row].sum() / T] for row in rows], np.float32)


class PieceBackend(NumpyBackend):
    """Encodes pieces of sound; a voice is a token's own number, squeezed into 0 to 1."""

    def audio_encoder(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append(("audio_encoder", dict(inputs)))
        names = ("waveform", "end", "before", "known") if "before" in inputs else ("waveform", "end", "begin")
        encode = framed_piece if "before" in inputs else whole_piece
        made = [encode(*row) for row in zip(*(inputs[name] for name in names), strict=True)]
        encoded = {name: np.stack([each[name] for each in made]) for name in made[0]}
        return {**encoded, "voice": voice_of(encoded["tokens"])}


def whole_piece(waveform: np.ndarray, end: int, begin: int) -> dict[str, np.ndarray]:
    return {"tokens": tokens_of(waveform.astype(np.float64), begin, end, BEFORE, SPEC.given)}


def framed_piece(waveform: np.ndarray, end: int, before: np.ndarray, known: int) -> dict[str, np.ndarray]:
    assert FRAMES_SPEC.frames is not None
    fresh = frames_of(waveform.astype(np.float64))
    start = len(before) * T
    tokens = tokens_of(
        np.concatenate([before.reshape(-1), fresh]),
        start - known * T,
        start + end,
        len(before) + FRAMES_SPEC.tokens - FRAMES_SPEC.seen,
        FRAMES_SPEC.seen,
    )
    return {"tokens": tokens, "frames": fresh.reshape(-1, T).astype(np.float32)}


def tokens_of_run(manifest: Manifest, sound: np.ndarray, end: int, first: int, count: int) -> np.ndarray:
    """Tokens `[count, 2]` of a whole run of sound float64 that ends after so many samples."""
    assert manifest.pieces is not None
    heard = frames_of(np.pad(sound, OVERLAP)) if manifest.pieces.frames else sound
    return tokens_of(heard, 0, end, first, count)


def voice_of(tokens: np.ndarray) -> np.ndarray:
    return np.float32(1) / (1 + np.exp(-tokens[..., 0]))


def with_pieces(voice_manifest: Manifest, spec: PieceSpec = SPEC) -> Manifest:
    """The tiny manifest of a bundle whose audio encoder takes pieces: windows of 2 s are 20 tokens."""
    graphs, batch = voice_manifest.graphs, "batch"
    inputs = [Tensor("waveform", "float32", [batch, spec.tokens * T + 2 * spec.overlap])]
    outputs = [Tensor("tokens", "float32", [batch, spec.seen, 2])]
    if spec.frames is None:
        inputs += [Tensor(name, "int64", [batch]) for name in ("begin", "end")]
    else:
        before = Tensor("before", "float32", [batch, spec.frames.before, spec.frames.width])
        inputs += [Tensor("end", "int64", [batch]), before, Tensor("known", "int64", [batch])]
        outputs.append(Tensor("frames", "float32", [batch, spec.tokens, spec.frames.width]))
    outputs.append(Tensor("voice", "float32", [batch, spec.seen]))
    audio_encoder = replace(graphs.audio_encoder, inputs=inputs, outputs=outputs)
    audio = [Tensor("audio_tokens", "float32", [batch, WINDOW, 2]), Tensor("audio_mask", "bool", [batch, WINDOW])]
    fusion = replace(graphs.fusion, inputs=[*audio, *graphs.fusion.inputs[2:]])
    # what counts as heard depends on the voice, and is not asked here
    voice = replace(voice_manifest.voice, threshold=1e-6, least_s=0.1)
    return replace(
        voice_manifest, pieces=spec, voice=voice, graphs=replace(graphs, audio_encoder=audio_encoder, fusion=fusion)
    )
