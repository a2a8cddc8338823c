"""A recording of claps and flashes whose skew is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.clock import to_ns
from edge.preprocess.media import Block, Frame

RATE_HZ = 48000
FPS = 25
SECONDS = 10


def claps(at_s: np.ndarray, seconds: float = SECONDS, rate_hz: int = RATE_HZ, noise: float = 0.001) -> np.ndarray:
    """float `[n]`: 10 ms bursts that die away, over a little noise."""
    random = np.random.default_rng(0)
    samples = random.normal(0, noise, round(seconds * rate_hz))
    burst = np.exp(-np.arange(rate_hz // 100) / (0.0025 * rate_hz)) * np.sign(random.normal(size=rate_hz // 100))
    for begin in np.round(at_s * rate_hz).astype(int):
        samples[begin : begin + len(burst)] += 0.6 * burst
    return samples


def flashes(at_s: np.ndarray, seconds: float = SECONDS, fps: int = FPS) -> np.ndarray:
    """uint8 `[n, 48, 64, 3]`: lit for 0.2 s from each time on, grey otherwise."""
    times = np.arange(round(seconds * fps)) / fps
    lit = ((times[:, None] >= at_s - 1e-6) & (times[:, None] < at_s + 0.2 - 1e-6)).any(axis=1)
    return np.where(lit, 220, 40)[:, None, None, None].repeat(48, 1).repeat(64, 2).repeat(3, 3).astype(np.uint8)


def record(make_clip: Callable[..., Path], path: Path, late_s: float, codecs: tuple[str, str]) -> Path:
    """Flashes at odd seconds, each clap later by `late_s`."""
    at_s = np.arange(1.0, SECONDS, 2)
    samples = np.int16(32767 * claps(at_s + late_s))
    return make_clip(path, flashes(at_s), samples, fps=FPS, rate_hz=RATE_HZ, codecs=codecs)


def as_media(samples: np.ndarray, levels: np.ndarray, rate_hz: int = 16000, fps: float = FPS) -> list[Block | Frame]:
    """Blocks of 20 ms, then frames of one brightness each, from time 0 on."""
    size = rate_hz // 50
    pieces = np.float32(samples[: len(samples) // size * size]).reshape(-1, size)
    blocks = [Block(piece, (number + 1) * 20_000_000) for number, piece in enumerate(pieces)]
    frames = [Frame(np.full((4, 4, 3), level, np.uint8), to_ns(i / fps)) for i, level in enumerate(levels)]
    return [*blocks, *frames]
