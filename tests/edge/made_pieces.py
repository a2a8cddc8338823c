"""A tiny bundle whose audio encoder takes pieces of sound, and its graphs in numpy.

A token is made of its own samples, those of the three tokens before it and those of the token after it, and knows how
much of that is sound. Small numbers, so that a thousand windows take seconds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec.structs import replace

from edge.bundle.manifest import Manifest, PieceSpec, Tensor
from tests.conftest import NumpyBackend

RATE_HZ, T, WINDOW = 1000, 100, 20
"""Samples a second and in a token, tokens in a window."""
SPEC = PieceSpec(tokens=6, given=3, unsettled=1)
BEFORE, AFTER = SPEC.tokens - SPEC.given, SPEC.unsettled
WEIGHTS = np.random.default_rng(7).normal(size=(BEFORE + 1 + AFTER) * T)


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
        made = [
            tokens_of(wave.astype(np.float64), begin, end, BEFORE, SPEC.given)
            for wave, begin, end in zip(inputs["waveform"], inputs["begin"], inputs["end"], strict=True)
        ]
        return {"tokens": np.stack(made), "voice": voice_of(np.stack(made))}


def voice_of(tokens: np.ndarray) -> np.ndarray:
    return np.float32(1) / (1 + np.exp(-tokens[..., 0]))


def with_pieces(voice_manifest: Manifest) -> Manifest:
    """The tiny manifest of a bundle whose audio encoder takes pieces: windows of 2 s are 20 tokens."""
    graphs, batch = voice_manifest.graphs, "batch"
    audio_encoder = replace(
        graphs.audio_encoder,
        inputs=[
            Tensor("waveform", "float32", [batch, SPEC.tokens * T]),
            Tensor("begin", "int64", [batch]),
            Tensor("end", "int64", [batch]),
        ],
        outputs=[
            Tensor("tokens", "float32", [batch, SPEC.given, 2]),
            Tensor("voice", "float32", [batch, SPEC.given]),
        ],
    )
    audio = [Tensor("audio_tokens", "float32", [batch, WINDOW, 2]), Tensor("audio_mask", "bool", [batch, WINDOW])]
    fusion = replace(graphs.fusion, inputs=[*audio, *graphs.fusion.inputs[2:]])
    # what counts as heard depends on the voice, and is not asked here
    voice = replace(voice_manifest.voice, threshold=1e-6, least_s=0.1)
    return replace(
        voice_manifest, pieces=SPEC, voice=voice, graphs=replace(graphs, audio_encoder=audio_encoder, fusion=fusion)
    )
