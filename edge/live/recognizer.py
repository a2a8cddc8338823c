"""Recognition of windows by the three graphs of a bundle, batched over windows.

Dimensions: B windows, Ta tokens, Tv frames, Dv their embedding's width, C classes.
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
from ..bundle.video_head import classify
from ..preprocess.images import Image
from ..preprocess.media import Embedding
from ..wire.messages import UNCERTAIN
from .audio_encoding import AudioInput, EncodedAudio, encode_audio
from .voice import Voice, is_enough, measure

Mask = NDArray[np.bool_]


class WindowInput(AudioInput, Protocol):
    """Inputs of the recognizer for one window."""

    @property
    def embeddings(self) -> Embedding:
        """float32 `[n, Dv]`, n <= Tv."""
        ...


@dataclass(frozen=True)
class Recognition:
    """Output of the model for one window."""

    probs: NDArray[np.floating[Any]]
    """Calibrated probabilities `[C]`, in the order of the bundle's labels; equal where there is no evidence."""
    agreement: float | None
    """Cosine of the two AVEL embeddings; None where a modality is missing."""
    is_heard: bool
    """True where the window's audio counts: there is some, with enough voice if the bundle can tell."""
    is_seen: bool
    """True where the window has embeddings."""
    voice: Voice | None
    """Voice in the window; None without audio, and with a bundle that cannot tell."""
    encode_audio_ms: float
    """Duration of audio encoding, for the whole batch."""
    fuse_ms: float
    """Duration of fusion, for the whole batch."""
    backend: str
    """Name of the backend that computed it."""

    @property
    def has_evidence(self) -> bool:
        """True where a voice or a face was there to go by."""
        return self.is_heard or self.is_seen

    def label(self, labels: Sequence[str]) -> str:
        """Return the most probable of the bundle's labels, or `uncertain` where there is no evidence."""
        return labels[int(self.probs.argmax())] if self.has_evidence else UNCERTAIN


class Recognizer:
    """Bundle on a backend."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self.manifest, self.backend = manifest, backend

    def embed(self, crops: Sequence[Image]) -> Embedding:
        """Return the embeddings float32 `[n, Dv]` of n crops uint8 `[H, W, 3]`."""
        entry = self.manifest.graphs.image_encoder
        embeddings = np.empty((len(crops), int(entry.outputs[0].shape[1])), np.float32)
        for i in range(0, len(crops), entry.batch.largest):
            part = slice(i, i + entry.batch.largest)
            embeddings[part] = self.backend.image_encoder({"frames": np.stack(crops[part])})["embedding"]
        return embeddings

    def recognize(self, windows: Sequence[WindowInput], heard: Sequence[Mask | None] = ()) -> list[Recognition]:
        """Return one recognition for each window, computed in batches as large as the graphs take.

        `heard` says of a person's window which tokens bool `[Ta]` are that person's voice; None for all of them.
        Windows of people in one stream share its samples, which are encoded once.

        A window without samples or embeddings lacks that modality, and so does one with less voice than the bundle's
        `voice` asks for. Where both are lacking, the probabilities are equal. They are NaN where the model gives none,
        of that window alone.
        """
        graphs = self.manifest.graphs
        largest = graphs.fusion.batch.largest
        if self.manifest.pieces is None:
            largest = min(largest, graphs.audio_encoder.batch.largest)
        heard = heard or [None] * len(windows)
        found = {row: self._see(window) for row, window in enumerate(windows) if self._needs_no_graph(window)}
        others = [row for row in range(len(windows)) if row not in found]
        for first in range(0, len(others), largest):
            batch = others[first : first + largest]
            recognized = self._recognize([windows[row] for row in batch], [heard[row] for row in batch])
            found.update(zip(batch, recognized, strict=True))
        return [found[row] for row in range(len(windows))]

    def _needs_no_graph(self, window: WindowInput) -> bool:
        """Return whether a window has no audio, and the bundle a video head for such."""
        return self.manifest.video_head is not None and len(window.samples) == 0

    def _see(self, window: WindowInput) -> Recognition:
        """Return the recognition of a window without audio by the video head."""
        started, is_seen = time.perf_counter(), len(window.embeddings) > 0
        probs = softmax(self._seen_logits(window) / self.manifest.temperature)
        fuse_ms = (time.perf_counter() - started) * 1e3
        return Recognition(probs, None, False, is_seen, None, 0.0, fuse_ms, self.backend.name)

    def _seen_logits(self, window: WindowInput) -> Array:
        """Return the logits `[C]` that the video head gives a window; equal ones where it has no frames."""
        head = self.manifest.video_head
        assert head is not None, "a bundle with a video head"
        if len(window.embeddings) == 0:
            return np.zeros(len(self.manifest.labels), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for what is not finite
            return classify(head, window.embeddings)

    def _recognize(self, windows: Sequence[WindowInput], heard: Sequence[Mask | None]) -> list[Recognition]:
        started = time.perf_counter()
        audio = self._encode_audio(windows, heard)
        counted = np.stack([mask if own is None else mask & own for mask, own in zip(audio.mask, heard, strict=True)])
        tokens, is_invalid = audio.tokens, ~audio.is_finite()
        if is_invalid.any():  # a graph that scales a whole batch would spread it to the other windows
            tokens = np.where(is_invalid[:, None, None], np.float32(0), tokens)
        voices = self._measure_voices(audio, counted)
        counts = np.array([self._counts(*each) for each in zip(windows, voices, strict=True)])
        is_heard = np.logical_and(counted.any(axis=1), counts)
        is_seen = np.array([len(window.embeddings) > 0 for window in windows])
        encoded = time.perf_counter()
        logits, cosines = self._fuse(windows, tokens, counted, is_heard)
        encode_audio_ms, fuse_ms = (encoded - started) * 1e3, (time.perf_counter() - encoded) * 1e3
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for what is not finite
            probs = softmax(logits / self.manifest.temperature)
        probs[~(is_heard | is_seen)] = 1 / probs.shape[1]
        probs[is_invalid] = np.nan
        return [
            Recognition(
                row,
                float(cosine) if heard and seen else None,
                bool(heard),
                bool(seen),
                voice,
                encode_audio_ms,
                fuse_ms,
                self.backend.name,
            )
            for row, cosine, heard, seen, voice in zip(probs, cosines, is_heard, is_seen, voices, strict=True)
        ]

    def _fuse(
        self, windows: Sequence[WindowInput], tokens: Array, mask: Mask, is_heard: NDArray[np.bool_]
    ) -> tuple[Array, Array]:
        """Return the logits `[B, C]` and the cosines of the AVEL embeddings `[B]` of windows.

        Windows without audio are left to the video head, if the bundle has one, and have no cosine.
        """
        is_fused = is_heard | (self.manifest.video_head is None)
        logits = np.zeros((len(windows), len(self.manifest.labels)), np.float32)
        cosines = np.zeros(len(windows), np.float32)
        for row in np.flatnonzero(~is_fused).tolist():
            logits[row] = self._seen_logits(windows[row])
        rows = np.flatnonzero(is_fused).tolist()
        if rows:
            embeddings, frame_mask = self._pad_embeddings([windows[row] for row in rows])
            fused = self.backend.fusion(
                {
                    "audio_tokens": tokens[rows],
                    "audio_mask": mask[rows] & is_heard[rows, None],
                    "video_tokens": embeddings,
                    "video_mask": frame_mask,
                }
            )
            logits[rows] = fused["logits"]
            with np.errstate(over="ignore", invalid="ignore"):  # the caller checks for what is not finite
                cosines[rows] = (fused["audio_embedding"] * fused["video_embedding"]).sum(axis=1)
        return logits, cosines

    def _encode_audio(self, windows: Sequence[WindowInput], heard: Sequence[Mask | None]) -> EncodedAudio:
        """Return the encoded audio of windows; what those of people in one stream share is encoded once."""
        keys = [
            row if own is None else -id(window.samples)
            for row, (window, own) in enumerate(zip(windows, heard, strict=True))
        ]
        different = dict(zip(keys, windows, strict=True))
        audio = encode_audio(self.manifest, self.backend, list(different.values()))
        if len(different) == len(windows):
            return audio
        rows = {key: row for row, key in enumerate(different)}
        return audio.rows([rows[key] for key in keys])

    def _measure_voices(self, audio: EncodedAudio, counted: Mask) -> list[Voice | None]:
        """Return the voice of the tokens that count; None without audio, and where the bundle cannot tell."""
        spec, token_s = self.manifest.voice, self.manifest.token_s
        if spec is None or audio.voice is None:
            return [None] * len(audio.mask)
        rows = zip(np.where(counted, audio.voice, 0), audio.mask, strict=True)
        return [measure(probabilities, mask, token_s, spec.threshold) for probabilities, mask in rows]

    def _counts(self, window: WindowInput, voice: Voice | None) -> bool:
        """Return whether a window's audio counts: without the bundle's say it does where there is any."""
        spec = self.manifest.voice
        return len(window.samples) > 0 if spec is None else is_enough(voice, spec)

    def _pad_embeddings(self, windows: Sequence[WindowInput]) -> tuple[Array, Array]:
        """Return embeddings float32 `[B, Tv, Dv]`, zero-padded, and mask bool `[B, Tv]`."""
        width = int(self.manifest.graphs.fusion.inputs[2].shape[2])
        embeddings = np.zeros((len(windows), self.manifest.frames, width), np.float32)
        mask = np.zeros(embeddings.shape[:2], np.bool_)
        for i, window in enumerate(windows):
            embeddings[i, : len(window.embeddings)] = window.embeddings
            mask[i, : len(window.embeddings)] = True
        return embeddings, mask
