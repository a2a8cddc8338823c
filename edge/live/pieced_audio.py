"""Audio of one stream where the audio encoder takes pieces of sound: what is kept from window to window."""

import numpy as np

from ..bundle.manifest import Manifest
from ..preprocess.dc_offset import OffsetRemover, reach
from ..preprocess.media import Samples
from ..preprocess.rings import SampleRing
from ..preprocess.sequence_ring import SequenceRing
from .token_window import TokenRing, TokenWindow, plan


class PiecedAudio:
    """Samples of a run without the DC offset, and its tokens, each made once what it depends on has come."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._reach = reach(manifest.audio.rate_hz)
        self._offset = OffsetRemover(manifest.audio.rate_hz, kept_samples(manifest))
        self._tokens = TokenRing(manifest)
        self._run = 0

    def cut(self, ring: SampleRing, end_ns: int) -> tuple[Samples, TokenWindow | None]:
        """Return the samples `[n]` of the window that ends at `end_ns`, n <= S, and its tokens.

        There are no tokens where a sample is not finite; the run goes on after the last such sample.
        """
        if ring.run != self._run:
            self._run = ring.run
            self._offset.clear()
            self._tokens.clear(0, 0)
        end = ring.position(end_ns)
        self._offset.update(ring.samples, end)
        clean = self._offset.samples
        window = clean.view(end - ring.capacity, end)
        if not np.isfinite(window[-1:]).all():  # averages carry it to the end
            spoilt = ~np.isfinite(ring.samples.view(0, end))
            begin = end - int(spoilt[::-1].argmax())
            ring.samples.forget_before(begin)
            self._offset.clear(begin)
            return window, None
        return window, plan(self._manifest, clean, end, self._reach, self._tokens)


def kept_samples(manifest: Manifest) -> int:
    """Return the number of samples on which the tokens of a window depend, at most."""
    assert manifest.pieces is not None, "an audio encoder that takes pieces"
    return (manifest.window_tokens + manifest.pieces.past + manifest.pieces.given) * manifest.token_samples


def tokens_alone(manifest: Manifest, samples: Samples) -> TokenWindow:
    """Return the tokens of a window float32 `[n]` that is a whole sound, without DC offset."""
    run = SequenceRing(max(1, len(samples)), room=0)
    run.write(0, samples)
    return plan(manifest, run, len(samples), 0, TokenRing(manifest))
