"""Quality of a frame and of a second of audio: a covered lens, a muted or an overdriven microphone."""

import cv2
import numpy as np

from ..preprocess.images import Image
from ..preprocess.media import Samples

SAMPLED_ROWS = 120
"""Approximate number of rows of an image that are sampled; columns are sampled as far apart."""
CELLS = (32, 24)
"""Number of cells, across and down, over which an image is averaged: sensor noise of sigma 12 becomes 1."""
DARK_LUMA = 20.0
"""Largest mean luma of a covered lens, of 255: black is 16 where a camera's limited range is not stretched."""
DARK_SPREAD = 12.0
"""Largest difference between a covered lens's darkest and brightest cells (2nd and 98th percentile). Noise and JPEG
give 1 to 4, a finger that lets red light through up to 11; a face lit by an eighth of the usual light gives 15."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

FULL_SCALE = 0.999
CLIPPING_SHARE = 0.001
"""Share of samples at full scale above which audio is clipping. Acted speech has a sixteenth of this at most."""
STILL = 1e-6
"""Largest peak-to-peak amplitude of digital silence: -120 dBFS, which no converter's own noise is below. A dead
converter may give any constant value, and resampling ripples it."""
NEIGHBOURHOOD = 2
"""Distance up to which samples count as one plateau: resampling bends a flat run, so that every other sample may lie
below full scale."""

PROBED = 500
"""Distance of the samples that are looked at first, as it is quick: in a sound they already differ."""


def is_dark(image: Image) -> bool:
    """Return whether an image uint8 `[H, W, 3]` RGB looks like that of a covered lens: near black, the same all over.

    A room with an eighth of the usual light is not dark: objects in it differ from their surroundings. With less it may
    be, though a face in it can still be found. A lamp that is smaller than a fiftieth of the image changes nothing.
    """
    step = max(1, image.shape[0] // SAMPLED_ROWS)
    cells = cv2.resize(image[::step, ::step], CELLS, interpolation=cv2.INTER_AREA)
    luma = cells.reshape(-1, 3).astype(np.float32) @ LUMA
    darkest, brightest = np.quantile(luma, (0.02, 0.98))
    return bool(luma.mean() < DARK_LUMA and brightest - darkest < DARK_SPREAD)


def is_clipping(samples: Samples) -> bool:
    """Return whether float32 `[n]` was cut off at full scale: more than a thousandth of it stands there, in plateaus.

    Speech 6 dB over is always found where it was cut at this rate, 19 times in 20 where it was cut at 48 kHz and
    resampled; 12 dB over, always. What was cut below full scale, in an amplifier before a volume control, is not
    found; a steady tone that reaches full scale cannot be told from one that was cut there.
    """
    if len(samples) == 0 or max(samples.max(), -samples.min()) < FULL_SCALE:
        return False
    hot = np.abs(samples) >= FULL_SCALE
    if np.count_nonzero(hot) <= CLIPPING_SHARE * len(samples):
        return False
    flat = np.zeros_like(hot)
    for apart in range(1, NEIGHBOURHOOD + 1):
        pairs = hot[apart:] & hot[:-apart]
        flat[apart:] |= pairs
        flat[:-apart] |= pairs
    return bool(np.count_nonzero(flat) > CLIPPING_SHARE * len(samples))


def is_muted(samples: Samples) -> bool:
    """Return whether float32 `[n]` is digital silence, every sample the same; an empty array is not."""
    is_still_where_probed = len(samples) > 0 and float(np.ptp(samples[::PROBED])) <= STILL
    return is_still_where_probed and float(np.ptp(samples)) <= STILL


PIECE_S = 0.02
FLOOR_DBFS = -50.0
ABOVE_BACKGROUND_DB = 10.0
BACKGROUND_QUANTILE = 0.1


def rms_dbfs(samples: Samples) -> float | None:
    """Return the level of float32 `[n]` in dB relative to full scale; None where it is empty or digital silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * float(np.log10(power)) if power > 0 else None


def speech_share(samples: Samples, rate_hz: int) -> float | None:
    """Return the share of 20 ms pieces above -50 dBFS and 10 dB over the quietest tenth; None under one piece.

    The share measures energy and recognises no speech: music passes for speech, a whisper may not.
    """
    piece = round(PIECE_S * rate_hz)
    pieces = samples[: len(samples) // piece * piece].reshape(-1, piece)
    if len(pieces) == 0:
        return None
    levels = 10 * np.log10(np.square(pieces, dtype=np.float64).mean(axis=1) + 1e-12)
    background = float(np.quantile(levels, BACKGROUND_QUANTILE))
    return float(np.mean((levels > FLOOR_DBFS) & (levels > background + ABOVE_BACKGROUND_DB)))
