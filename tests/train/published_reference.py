"""The published Foal-Net (Li et al., Interspeech 2024) in numpy float64, one window at a time, its tensors by name.

Dimensions: B windows, Ta/Tv audio/video tokens, Da/Dv their widths, C classes, E embedding width.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

LAYERS = 2
"""Cross-attention layers a stack."""
LARGEST_SCALE = 100.0
"""Of the similarities, where the temperature multiplies."""

erf = np.vectorize(math.erf)


class Window(NamedTuple):
    """One window's tokens."""

    audio: np.ndarray
    """`[Ta, Da]`."""
    audio_mask: np.ndarray
    """bool `[Ta]`."""
    video: np.ndarray
    """`[Tv, Dv]`."""
    video_mask: np.ndarray
    """bool `[Tv]`."""


class Published:
    """All but the encoders, dropout left out."""

    def __init__(self, tensors: Mapping[str, np.ndarray], heads: int) -> None:
        self.tensors = {name: np.asarray(tensor, np.float64) for name, tensor in tensors.items()}
        self.heads = heads

    def logits(self, window: Window) -> np.ndarray:
        """`[C]`."""
        return self._linear("cls_head", np.concatenate([self.attend_audio(window), self.attend_video(window)]))

    def embeddings(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Of the sound and of the picture, `[E]` each."""
        audio, video = masked_mean(window.audio, window.audio_mask), masked_mean(window.video, window.video_mask)
        return self._project("audio_project", audio), self._project("video_project", video)

    def match_audio(self, window: Window) -> np.ndarray:
        """MEM's two logits from the audio stack."""
        return self._linear("a2v_head", self.attend_audio(window))

    def match_video(self, window: Window) -> np.ndarray:
        """MEM's two logits from the video stack."""
        return self._linear("v2a_head", self.attend_video(window))

    def mem_loss(self, windows: Sequence[Window], videos: Sequence[int], audios: Sequence[int]) -> float:
        """The audio stack judges each sound with its picture and with the picture of window `videos[i]`; the video
        stack each picture with its sound and with the sound of window `audios[i]`."""
        with_videos = [Window(*windows[i][:2], *windows[j][2:]) for i, j in enumerate(videos)]
        with_audios = [Window(*windows[j][:2], *windows[i][2:]) for i, j in enumerate(audios)]
        same = [1] * len(windows) + [0] * len(windows)
        audio_match = np.stack([self.match_audio(window) for window in (*windows, *with_videos)])
        video_match = np.stack([self.match_video(window) for window in (*windows, *with_audios)])
        return (cross_entropy(audio_match, same) + cross_entropy(video_match, same)) / 2

    def attend_audio(self, window: Window) -> np.ndarray:
        """The audio stack's masked mean, `[Da]`."""
        audio, video = masked(window)
        return masked_mean(self._stack("a2v", audio, video, window.video_mask), window.audio_mask)

    def attend_video(self, window: Window) -> np.ndarray:
        """The video stack's masked mean, `[Dv]`."""
        audio, video = masked(window)
        return masked_mean(self._stack("v2a", video, audio, window.audio_mask), window.video_mask)

    def _stack(self, name: str, queries: np.ndarray, keys: np.ndarray, mask: np.ndarray) -> np.ndarray:
        for layer in range(LAYERS):
            attended = self._attention(f"{name}.{layer}", queries, keys, mask)
            queries = self._layer_norm(f"{name}.{layer}.ln", attended + queries)
        return queries

    def _attention(self, name: str, queries: np.ndarray, keys: np.ndarray, mask: np.ndarray) -> np.ndarray:
        q, k, v = (
            self._linear(f"{name}.w_q", queries),
            self._linear(f"{name}.w_k", keys),
            self._linear(f"{name}.w_v", keys),
        )
        heads = []
        for part in np.split(np.arange(q.shape[1]), self.heads):
            scores = q[:, part] @ k[:, part].T / math.sqrt(len(part)) + np.where(mask, 0.0, -1e9)
            heads.append(np.exp(log_softmax(scores)) @ v[:, part])
        return self._linear(f"{name}.w_concat", np.concatenate(heads, axis=1))

    def _project(self, name: str, pooled: np.ndarray) -> np.ndarray:
        first = self._linear(f"{name}.linear1", pooled)
        gelu = first * (1 + erf(first / math.sqrt(2))) / 2
        normed = self._layer_norm(f"{name}.layer_norm", first + self._linear(f"{name}.linear2", gelu))
        return normed / np.linalg.norm(normed)

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self.tensors[f"{name}.weight"].T + self.tensors.get(f"{name}.bias", 0.0)

    def _layer_norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return normed * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]


def masked(window: Window) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of both, those that do not count set to zero."""
    return window.audio * window.audio_mask[:, None], window.video * window.video_mask[:, None]


def masked_mean(tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`[T, D]` -> `[D]`; zero where nothing counts, of which the published code makes no number."""
    return tokens[mask].mean(axis=0) if mask.any() else np.zeros(tokens.shape[1])


def published_scale(temp: float) -> float:
    """What multiplies the cosines, as published: the temperature, meant as a logarithm, divides them."""
    return 1 / temp


def right_scale(temp: float) -> float:
    """What multiplies the cosines in CLIP."""
    return min(math.exp(temp), LARGEST_SCALE)


def published_avel_loss(scores: np.ndarray, labels: Sequence[int]) -> float:
    """Scaled cosines `[B, B]` of sounds with pictures; the log-likelihoods of a row's positives are summed."""
    return _avel_loss(scores, labels, np.sum)


def right_avel_loss(scores: np.ndarray, labels: Sequence[int]) -> float:
    """The same, averaged."""
    return _avel_loss(scores, labels, np.mean)


def _avel_loss(scores: np.ndarray, labels: Sequence[int], over_positives: np.ufunc) -> float:
    rows = []
    for direction in (scores, scores.T):
        for label, row in zip(labels, log_softmax(direction), strict=True):
            rows.append(-over_positives(row[np.asarray(labels) == label]))
    return float(np.mean(rows))


def hard_negatives(scores: np.ndarray, labels: Sequence[int], uniform: Sequence[float]) -> list[int]:
    """For each row of `[B, B]` an entry of another label: where the softmax over these, added up, passes a share."""
    chosen = []
    for row, label, share in zip(scores, labels, uniform, strict=True):
        others = [index for index, other in enumerate(labels) if other != label]
        chances = np.exp(log_softmax(row[others]))
        chosen.append(others[int((np.cumsum(chances) <= share).sum())])
    return chosen


def cross_entropy(logits: np.ndarray, labels: Sequence[int]) -> float:
    """`[N, C]` -> the mean over the rows."""
    return float(-np.mean([row[label] for row, label in zip(log_softmax(logits), labels, strict=True)]))


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Over the last dimension."""
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
