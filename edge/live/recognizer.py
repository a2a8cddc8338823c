"""From windows to probabilities: the bundle's three graphs, batched over windows.

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


class Evidence(Protocol):
    """What the recogniser needs of a window."""

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
    """What the model says of one window."""

    probs: NDArray[np.floating[Any]]
    """Calibrated, `[C]`, in the order of the bundle's labels."""
    agreement: float | None
    """Cosine of the two AVEL embeddings; None where a modality is missing."""
    encode_audio_ms: float
    """Of the whole batch."""
    fuse_ms: float
    """Of the whole batch."""


class Recognizer:
    """One bundle on one backend."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self.manifest, self.backend = manifest, backend
        self._token_shape = [int(size) for size in manifest.graphs.fusion.inputs[0].shape[1:]]

    def embed(self, crops: Sequence[Image]) -> Embedding:
        """Crops uint8 `[H, W, 3]` -> embeddings float32 `[len(crops), Dv]`."""
        entry = self.manifest.graphs.image_encoder
        embeddings = np.empty((len(crops), int(entry.outputs[0].shape[1])), np.float32)
        for i in range(0, len(crops), entry.batch.largest):
            part = slice(i, i + entry.batch.largest)
            embeddings[part] = self.backend.image_encoder({"frames": np.stack(crops[part])})["embedding"]
        return embeddings

    def recognize(self, windows: Sequence[Evidence]) -> list[Recognition]:
        """One recognition a window, in batches as large as the graphs take.

        A window without samples or embeddings lacks that modality. Probabilities are NaN where the model gives none,
        of that window alone.
        """
        graphs = self.manifest.graphs
        largest = min(graphs.audio_encoder.batch.largest, graphs.fusion.batch.largest)
        batches = [windows[i : i + largest] for i in range(0, len(windows), largest)]
        return [recognition for batch in batches for recognition in self._recognize(batch)]

    def _recognize(self, windows: Sequence[Evidence]) -> list[Recognition]:
        started = time.perf_counter()
        tokens, token_mask = self._hear(windows)
        is_spoilt = np.asarray(~np.isfinite(tokens).all(axis=(1, 2)))
        if is_spoilt.any():  # a graph with scales of its own for each batch would hand it on to the other windows
            tokens = np.where(is_spoilt[:, None, None], np.float32(0), tokens)
        heard = time.perf_counter()
        embeddings, frame_mask = self._gather(windows)
        fused = self.backend.fusion(
            {"audio_tokens": tokens, "audio_mask": token_mask, "video_tokens": embeddings, "video_mask": frame_mask}
        )
        encode_audio_ms, fuse_ms = (heard - started) * 1e3, (time.perf_counter() - heard) * 1e3
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is for whoever takes it to see
            probs = softmax(fused["logits"] / self.manifest.temperature)
            cosines = (fused["audio_embedding"] * fused["video_embedding"]).sum(axis=1)
        probs[is_spoilt] = np.nan
        return [
            Recognition(
                row,
                float(cosine) if len(window.samples) and len(window.embeddings) else None,
                encode_audio_ms,
                fuse_ms,
            )
            for window, row, cosine in zip(windows, probs, cosines, strict=True)
        ]

    def _hear(self, windows: Sequence[Evidence]) -> tuple[Array, Array]:
        """Tokens float32 `[B, Ta, Da]` and mask bool `[B, Ta]`; the encoder rests where nobody is heard."""
        if not any(len(window.samples) for window in windows):
            shape = (len(windows), *self._token_shape)
            return np.zeros(shape, np.float32), np.zeros(shape[:2], np.bool_)
        waveform = np.zeros((len(windows), self.manifest.audio.samples), np.float32)
        for row, window in zip(waveform, windows, strict=True):
            row[: len(window.samples)] = window.samples
        length = np.array([len(window.samples) for window in windows], np.int64)
        heard = self.backend.audio_encoder({"waveform": waveform, "length": length})
        return heard["tokens"], heard["mask"]

    def _gather(self, windows: Sequence[Evidence]) -> tuple[Array, Array]:
        """Embeddings float32 `[B, Tv, Dv]`, zero-padded, and mask bool `[B, Tv]`."""
        width = int(self.manifest.graphs.fusion.inputs[2].shape[2])
        embeddings = np.zeros((len(windows), self.manifest.frames, width), np.float32)
        mask = np.zeros(embeddings.shape[:2], np.bool_)
        for i, window in enumerate(windows):
            embeddings[i, : len(window.embeddings)] = window.embeddings
            mask[i, : len(window.embeddings)] = True
        return embeddings, mask
