"""Encoding of the audio of windows, whole or in pieces, in batches.

Dimensions: B windows, S samples and Ta tokens of a window, Da the width of a token.
"""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..backends.base import Array, Backend
from ..bundle.manifest import Manifest
from ..preprocess.media import Samples
from .pieced_audio import tokens_alone
from .token_window import Piece, TokenWindow


class AudioInput(Protocol):
    """Audio of one window."""

    @property
    def samples(self) -> Samples:
        """float32 `[n]`, n <= S."""
        ...

    @property
    def tokens(self) -> TokenWindow | None:
        """Tokens of a window of a stream, for a bundle whose audio encoder takes pieces; else None."""
        ...


class EncodedAudio(NamedTuple):
    """Audio of a batch of windows, encoded; all zero where every window lacks audio."""

    tokens: Array
    """float32 `[B, Ta, Da]`."""
    mask: Array
    """bool `[B, Ta]`, True where a token stands for audio."""
    voice: Array | None
    """float32 `[B, Ta]`, probability of a voice in each token; None with a bundle that cannot tell."""

    def is_finite(self) -> NDArray[np.bool_]:
        """Return whether all that the encoder gave a window is finite, `[B]`."""
        finite = np.isfinite(self.tokens).all(axis=(1, 2))
        return np.asarray(finite if self.voice is None else finite & np.isfinite(self.voice).all(axis=1))

    def rows(self, numbers: Sequence[int]) -> "EncodedAudio":
        """Return the audio of some windows, by their numbers in the batch, each as often as it is given."""
        voice = None if self.voice is None else self.voice[numbers]
        return EncodedAudio(self.tokens[numbers], self.mask[numbers], voice)


def encode_audio(manifest: Manifest, backend: Backend, windows: Sequence[AudioInput]) -> EncodedAudio:
    """Return the encoded audio of windows; whole ones are at most as many as the audio encoder takes at once."""
    if manifest.pieces is not None:
        return encode_pieces(manifest, backend, windows)
    if any(len(window.samples) for window in windows):
        return encode_whole(manifest, backend, windows)
    return no_audio(manifest, len(windows))


def no_audio(manifest: Manifest, count: int) -> EncodedAudio:
    """Return the encoded audio of so many windows that have none."""
    _, tokens, width = manifest.graphs.fusion.inputs[0].shape
    voice = None if manifest.voice is None else np.zeros((count, int(tokens)), np.float32)
    return EncodedAudio(
        np.zeros((count, int(tokens), int(width)), np.float32), np.zeros((count, int(tokens)), np.bool_), voice
    )


def encode_whole(manifest: Manifest, backend: Backend, windows: Sequence[AudioInput]) -> EncodedAudio:
    """Return the encoded audio of windows for an audio encoder that takes whole windows, as one batch."""
    waveform = np.zeros((len(windows), manifest.audio.samples), np.float32)
    for row, window in zip(waveform, windows, strict=True):
        row[: len(window.samples)] = window.samples
    length = np.array([len(window.samples) for window in windows], np.int64)
    encoded = backend.audio_encoder({"waveform": waveform, "length": length})
    return EncodedAudio(encoded["tokens"], encoded["mask"], encoded.get("voice"))


def encode_pieces(manifest: Manifest, backend: Backend, windows: Sequence[AudioInput]) -> EncodedAudio:
    """Return the encoded audio of windows for an audio encoder that takes pieces, those of all windows in batches."""
    parts = [token_window(manifest, window) for window in windows]
    largest = manifest.graphs.audio_encoder.batch.largest
    for waiting in turns(manifest, [part for part in parts if part is not None]):
        for first in range(0, len(waiting), largest):
            put_batch(manifest, backend, waiting[first : first + largest])
    found = no_audio(manifest, len(windows))
    for row, part in enumerate(parts):
        if part is not None:
            found.tokens[row, : len(part)], found.mask[row, : len(part)] = part.tokens, True
            if found.voice is not None:
                found.voice[row, : len(part)] = part.voice
    return found


def token_window(manifest: Manifest, window: AudioInput) -> TokenWindow | None:
    """Return a window's tokens, those of its samples alone where it comes from no stream; None without audio."""
    if window.tokens is not None or len(window.samples) == 0:
        return window.tokens
    return tokens_alone(manifest, window.samples)


def turns(manifest: Manifest, parts: Sequence[TokenWindow]) -> list[list[tuple[TokenWindow, Piece]]]:
    """Return the pieces of windows in groups that can be encoded at once, in order."""
    assert manifest.pieces is not None, "an audio encoder that takes pieces"
    pieces = [[(part, piece) for piece in part.pieces] for part in parts]
    if manifest.pieces.frames is None:
        return [list(chain.from_iterable(pieces))]
    return [[each for each in turn if each is not None] for turn in zip_longest(*pieces)]


def put_batch(manifest: Manifest, backend: Backend, waiting: Sequence[tuple[TokenWindow, Piece]]) -> None:
    """Encode pieces as one batch and put what comes out into their windows."""
    encoded = backend.audio_encoder(piece_inputs(manifest, waiting))
    voices, frames = encoded.get("voice"), encoded.get("frames")
    for row, (window, piece) in enumerate(waiting):
        voice, kept = (None if each is None else each[row] for each in (voices, frames))
        window.put(piece, encoded["tokens"][row], voice, kept)


def piece_inputs(manifest: Manifest, waiting: Sequence[tuple[TokenWindow, Piece]]) -> dict[str, Array]:
    """Return the inputs of the audio encoder for pieces."""
    spec = manifest.pieces
    assert spec is not None, "an audio encoder that takes pieces"
    waveform = np.zeros((len(waiting), manifest.piece_samples), np.float32)
    for samples, (_, piece) in zip(waveform, waiting, strict=True):
        samples[piece.begin : piece.begin + len(piece.samples)] = piece.samples
    inputs: dict[str, Array] = {"waveform": waveform, "end": np.array([piece.sound for _, piece in waiting], np.int64)}
    if spec.frames is None:
        return {**inputs, "begin": np.array([piece.begin for _, piece in waiting], np.int64)}
    before = np.zeros((len(waiting), spec.frames.before, spec.frames.width), np.float32)
    known = np.zeros(len(waiting), np.int64)
    for row, (window, piece) in enumerate(waiting):
        rows = window.frames_before(piece.newest - spec.tokens, spec.frames.before)
        known[row] = len(rows)
        before[row, spec.frames.before - len(rows) :] = rows
    return {**inputs, "before": before, "known": known}
