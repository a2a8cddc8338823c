"""How loud a window is, and how much of it stands out of its own background."""

import numpy as np

from ..preprocess.media import Samples

PIECE_S = 0.02
FLOOR_DBFS = -50.0
ABOVE_BACKGROUND_DB = 10.0
BACKGROUND_QUANTILE = 0.1


def rms_dbfs(samples: Samples) -> float | None:
    """Level of float32 `[n]` against full scale; None where it is empty or digital silence."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10 * float(np.log10(power)) if power > 0 else None


def speech_share(samples: Samples, rate_hz: int) -> float | None:
    """Share of 20 ms pieces above -50 dBFS and 10 dB over the quietest tenth; None under one piece.

    A measure of energy, not a recogniser of speech: music passes for speech, a whisper may not.
    """
    piece = round(PIECE_S * rate_hz)
    pieces = samples[: len(samples) // piece * piece].reshape(-1, piece)
    if len(pieces) == 0:
        return None
    levels = 10 * np.log10(np.square(pieces, dtype=np.float64).mean(axis=1) + 1e-12)
    background = float(np.quantile(levels, BACKGROUND_QUANTILE))
    return float(np.mean((levels > FLOOR_DBFS) & (levels > background + ABOVE_BACKGROUND_DB)))
