"""Clips as inputs of the training: waveforms, and the frozen embeddings of the frames.

Dimensions: N clips, b of them at a time, S samples, Tv frames, Dv the embedding's width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edge.clock import to_ns
from edge.preprocess.media import Samples
from edge.preprocess.windowing import FrameGrid

from ..config import Config
from ..corpora.utterance import Utterance
from ..log import progress
from .decode import decode_audio
from .embed import EmbeddingStore, FrameEmbeddings


class ClipBatch(NamedTuple):
    """Batch of clips as inputs of the network, padded to a window."""

    waveform: Tensor
    """float32 `[b, S]`."""
    length: Tensor
    """int64 `[b]`, samples."""
    video_tokens: Tensor
    """float32 `[b, Tv, Dv]`."""
    video_mask: Tensor
    """bool `[b, Tv]`."""

    def to(self, device: torch.device) -> "ClipBatch":
        """Return the batch on another device."""
        return ClipBatch(*(part.to(device) for part in self))


@dataclass(frozen=True)
class Examples:
    """Clips of a corpus, in memory."""

    utterances: Sequence[Utterance]
    labels: Tensor
    """int64 `[N]`."""
    waveforms: Sequence[Samples]
    """Waveform of each clip, at most a window long."""
    embeddings: Sequence[FrameEmbeddings]
    rate_hz: int
    """Sample rate of the waveforms."""
    samples: int
    """Samples of a window, S."""
    frame_rate_hz: float
    """Frame rate of the embeddings."""

    @property
    def frames(self) -> int:
        """Frames of a window, Tv."""
        return round(self.frame_rate_hz * self.samples / self.rate_hz)

    def batch(self, rows: Tensor) -> ClipBatch:
        """Return the clips at `rows`, int64 `[b]`."""
        waveform = np.zeros((len(rows), self.samples), np.float32)
        width = self.embeddings[0].embedding.shape[1]
        tokens = torch.zeros(len(rows), self.frames, width)
        mask = torch.zeros(len(rows), self.frames, dtype=torch.bool)
        lengths = []
        for place, row in enumerate(rows.tolist()):
            samples, frames = self.waveforms[row][: self.samples], self.embeddings[row].embedding[: self.frames]
            waveform[place, : len(samples)] = samples
            tokens[place, : len(frames)], mask[place, : len(frames)] = frames.float(), True
            lengths.append(len(samples))
        return ClipBatch(torch.from_numpy(waveform), torch.tensor(lengths), tokens, mask)

    def at_frame_rate(self, frame_rate_hz: float) -> "Examples":
        """Return the examples with the frames that the runtime takes at a lower rate."""
        return replace(
            self,
            embeddings=[at_lower_rate(frames, frame_rate_hz) for frames in self.embeddings],
            frame_rate_hz=frame_rate_hz,
        )

    def cut_to(self, window_s: float) -> "Examples":
        """Return the examples with only the first `window_s` seconds of each clip."""
        kept = [frames.time_ns < to_ns(window_s) for frames in self.embeddings]
        embeddings = [
            FrameEmbeddings(frames.embedding[rows], frames.time_ns[rows])
            for frames, rows in zip(self.embeddings, kept, strict=True)
        ]
        length = round(window_s * self.rate_hz)
        return replace(self, embeddings=embeddings, waveforms=[waveform[:length] for waveform in self.waveforms])


def at_lower_rate(frames: FrameEmbeddings, frame_rate_hz: float) -> FrameEmbeddings:
    """Return the frames that a grid of a lower rate selects."""
    grid = FrameGrid(frame_rate_hz)
    rows = [row for row, time_ns in enumerate(frames.time_ns.tolist()) if grid.wants(time_ns)]
    return FrameEmbeddings(frames.embedding[rows], frames.time_ns[rows])


def load(config: Config, utterances: Sequence[Utterance], store: EmbeddingStore, shown: bool) -> Examples:
    """Read the embeddings and decode the audio; with `shown` under a progress bar."""
    window_s, rate_hz = config.audio.window_s, config.audio.rate_hz
    return Examples(
        utterances=utterances,
        labels=torch.tensor([config.labels.index(utterance.label) for utterance in utterances]),
        waveforms=[
            decode_audio(utterance, rate_hz, window_s) for utterance in progress(utterances, "decoding audio", shown)
        ],
        embeddings=[store.read(utterance) for utterance in utterances],
        rate_hz=rate_hz,
        samples=config.audio.samples,
        frame_rate_hz=store.rate_hz,
    )
