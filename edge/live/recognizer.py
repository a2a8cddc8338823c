"""Recognition of windows by the three graphs of a bundle, batched over windows.

Dimensions: B windows, S samples, Tv frames, Dv their embedding's width, C classes.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..backends.base import Array, Backend
from ..bundle.calibration import softmax
from ..bundle.manifest import Manifest
from ..preprocess.framing import Image
from ..preprocess.media import Embedding, Samples


class WindowInput(Protocol):
    """Inputs of the recognizer for one window."""

    @property
    def samples(self) -> Samples:
        """float32 `[n]`, n <= S."""
        ...

    @property
    def embeddings(self) -> Embedding:
        """float32 `[n, Dv]`, n <= Tv."""
        ...


@dataclass(frozen=True)
class Recognition:
    """Output of the model for one window."""

    probs: NDArray[np.floating[Any]]
    """Calibrated probabilities `[C]`, in the order of the bundle's labels."""
    agreement: float | None
    """Cosine of the two AVEL embeddings; None where a modality is missing."""
    encode_audio_ms: float
    """Duration of audio encoding, for the whole batch."""
    fuse_ms: float
    """Duration of fusion, for the whole batch."""


class Recognizer:
    """Bundle on a backend."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self.manifest, self.backend = manifest, backend
        self._token_shape = [int(size) for size in manifest.graphs.fusion.inputs[0].shape[1:]]

    def embed(self, crops: Sequence[Image]) -> Embedding:
        """Return the embeddings float32 `[n, Dv]` of n crops uint8 `[H, W, 3]`."""
        entry = self.manifest.graphs.image_encoder
        embeddings = np.empty((len(crops), int(entry.outputs[0].shape[1])), np.float32)
        for i in range(0, len(crops), entry.batch.largest):
            part = slice(i, i + entry.batch.largest)
            embeddings[part] = self.backend.image_encoder({"frames": np.stack(crops[part])})["embedding"]
        return embeddings

    def recognize(self, windows: Sequence[WindowInput]) -> list[Recognition]:
        """Return one recognition for each window, computed in batches as large as the graphs take.

        A window without samples or embeddings lacks that modality. Probabilities are NaN where the model gives none,
        of that window alone.
        """
        graphs = self.manifest.graphs
        largest = min(graphs.audio_encoder.batch.largest, graphs.fusion.batch.largest)
        batches = [windows[i : i + largest] for i in range(0, len(windows), largest)]
        return [recognition for batch in batches for recognition in self._recognize(batch)]

    def _recognize(self, windows: Sequence[WindowInput]) -> list[Recognition]:
        started = time.perf_counter()
        tokens, token_mask = self._encode_audio(windows)
        is_invalid = np.asarray(~np.isfinite(tokens).all(axis=(1, 2)))
        if is_invalid.any():  # a graph that scales a whole batch would spread it to the other windows
            tokens = np.where(is_invalid[:, None, None], np.float32(0), tokens)
        encoded = time.perf_counter()
        embeddings, frame_mask = self._pad_embeddings(windows)
        fused = self.backend.fusion(
            {"audio_tokens": tokens, "audio_mask": token_mask, "video_tokens": embeddings, "video_mask": frame_mask}
        )
        encode_audio_ms, fuse_ms = (encoded - started) * 1e3, (time.perf_counter() - encoded) * 1e3
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for what is not finite
            probs = softmax(fused["logits"] / self.manifest.temperature)
            cosines = (fused["audio_embedding"] * fused["video_embedding"]).sum(axis=1)
        probs[is_invalid] = np.nan
        return [
            Recognition(
                row,
                float(cosine) if len(window.samples) and len(window.embeddings) else None,
                encode_audio_ms,
                fuse_ms,
            )
            for window, row, cosine in zip(windows, probs, cosines, strict=True)
        ]

    def _encode_audio(self, windows: Sequence[WindowInput]) -> tuple[Array, Array]:
        """Return tokens float32 `[B, Ta, Da]` and mask bool `[B, Ta]`; zeros, not encoded, where all lack audio."""
        if not any(len(window.samples) for window in windows):
            shape = (len(windows), *self._token_shape)
            return np.zeros(shape, np.float32), np.zeros(shape[:2], np.bool_)
        waveform = np.zeros((len(windows), self.manifest.audio.samples), np.float32)
        for row, window in zip(waveform, windows, strict=True):
            row[: len(window.samples)] = window.samples
        length = np.array([len(window.samples) for window in windows], np.int64)
        encoded = self.backend.audio_encoder({"waveform": waveform, "length": length})
        return encoded["tokens"], encoded["mask"]

    def _pad_embeddings(self, windows: Sequence[WindowInput]) -> tuple[Array, Array]:
        """Return embeddings float32 `[B, Tv, Dv]`, zero-padded, and mask bool `[B, Tv]`."""
        width = int(self.manifest.graphs.fusion.inputs[2].shape[2])
        embeddings = np.zeros((len(windows), self.manifest.frames, width), np.float32)
        mask = np.zeros(embeddings.shape[:2], np.bool_)
        for i, window in enumerate(windows):
            embeddings[i, : len(window.embeddings)] = window.embeddings
            mask[i, : len(window.embeddings)] = True
        return embeddings, mask
