"""Export of a bundle's own weights anew: its graphs as they are made now, of the network that they were made of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from edge.backends.onnxruntime import OrtBackend
from edge.bundle import load as bundles
from edge.errors import BundleError
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Embedding, Samples
from train.checkpoint import Checkpoint
from train.config import Config
from train.origin import from_bundle

from .bundle import TOLERANCE, examples, write


@dataclass(frozen=True)
class WholeWindow:
    """Window of no stream."""

    samples: Samples
    """float32 `[n]`."""
    embeddings: Embedding
    """float32 `[n, Dv]`."""
    tokens: None = None


def renew(folder: Path, config: Config, output: Path, tell: Callable[[str], None]) -> None:
    """Write a bundle anew, of the weights in its graphs, with the version and the texts of its configuration.

    BundleError where its probabilities are not those of the bundle; nothing is written then.
    """
    origin, old = from_bundle(folder, config), bundles.load(folder)
    checkpoint = Checkpoint(origin.model, config, origin.temperature, old.manifest.measured)

    def accept(made: Path) -> None:
        difference = largest_difference(old, bundles.load(made), *examples(checkpoint))
        tell(f"largest difference of a probability from {old.manifest.name} {old.manifest.version}: {difference:.1e}")
        if not difference <= TOLERANCE:
            raise BundleError(
                f"the bundle made anew of {folder} has probabilities that differ by {difference:.1e} from its own, at "
                f"most {TOLERANCE:g} is expected; give the configuration that it was trained with"
            )

    write(checkpoint, output, tell, accept=accept)


def largest_difference(
    old: bundles.Bundle, new: bundles.Bundle, frames: Tensor, waveform: Tensor, length: Tensor
) -> float:
    """Return the largest difference of two bundles' probabilities on windows uint8 `[N, H, W, 3]`, `[B, S]`, `[B]`.

    Each window is taken with the frames and without.
    """
    found = []
    for bundle in (old, new):
        recognizer = Recognizer(bundle.manifest, OrtBackend(bundle))
        seen = recognizer.embed(list(frames.numpy()))
        sounds = [row[:count] for row, count in zip(waveform.numpy(), length.tolist(), strict=True)]
        windows = [WholeWindow(sound, embeddings) for sound in sounds for embeddings in (seen, seen[:0])]
        found.append(np.array([each.probs for each in recognizer.recognize(windows)]))
    return float(np.abs(found[0] - found[1]).max())
