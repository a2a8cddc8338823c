"""Audio tokens of a window where the audio encoder takes pieces of sound: those kept, and what gives the others.

Token k of a run of sound stands for its samples from k * T on, wherever windows end: the newest token of a window may
reach past its end. Dimensions: n tokens of a window, Da their width, T samples of a token.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..backends.base import Array
from ..bundle.manifest import Manifest, PieceSpec
from ..preprocess.media import Samples
from ..preprocess.sequence_ring import SequenceRing


@dataclass(frozen=True)
class Piece:
    """Piece of a run of sound, an input of the audio encoder."""

    samples: Samples
    """float32 `[n]`, a view."""
    begin: int
    """Samples of the piece before them: there was no sound, or they are not given."""
    first: int
    """Number in the run of the first token that is taken of those that the piece gives."""
    end: int
    """Number of the token after the last that is taken."""
    newest: int
    """Number of the token after the last that the piece gives."""


class TokenRing:
    """Ring of the newest tokens of a run, with their probability of voice where the bundle can tell."""

    def __init__(self, manifest: Manifest) -> None:
        window, width = manifest.window_tokens, int(manifest.graphs.fusion.inputs[0].shape[2])
        self.tokens = SequenceRing(window, room=2 * window, shape=(width,))
        self.voice = None if manifest.voice is None else SequenceRing(window, room=2 * window)
        self.settled = 0
        """Number of the token after the last that is kept for later windows."""

    def clear(self, token: int = 0) -> None:
        """Forget everything and go on with a token."""
        for ring in (self.tokens, self.voice):
            if ring is not None:
                ring.clear(token)
        self.settled = token

    def write(self, token: int, tokens: Array, voice: Array | None) -> None:
        """Write tokens `[n, Da]` with their voice `[n]` from one on; what stood there and after it is gone."""
        self.tokens.write(token, tokens)
        if self.voice is not None and voice is not None:
            self.voice.write(token, voice)


@dataclass(frozen=True)
class TokenWindow:
    """Tokens of one window, whole once each of its pieces is put; a view that holds until its stream changes."""

    pieces: list[Piece]
    """Pieces that give the tokens that are not kept, in order."""
    ring: TokenRing
    first: int
    """Number in the run of the window's first token."""
    end: int
    """Number of the token after its last."""
    settled: int
    """Number of the token after the last that will not change when sound follows."""

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def tokens(self) -> Array:
        """float32 `[n, Da]`, the oldest first."""
        return self.ring.tokens.view(self.first, self.end)

    @property
    def voice(self) -> Array | None:
        """float32 `[n]`, the probability of voice; None with a bundle that cannot tell."""
        return None if self.ring.voice is None else self.ring.voice.view(self.first, self.end)

    def put(self, piece: Piece, tokens: Array, voice: Array | None) -> None:
        """Take what the audio encoder gives for a piece, `[Tp, Da]` and `[Tp]`; what is not finite is not kept."""
        taken = slice(len(tokens) - (piece.newest - piece.first), len(tokens) - (piece.newest - piece.end))
        tokens, voice = tokens[taken], None if voice is None else voice[taken]
        self.ring.write(piece.first, tokens, voice)
        is_finite = np.isfinite(tokens).all() and (voice is None or np.isfinite(voice).all())
        if is_finite and self.ring.settled >= piece.first:
            self.ring.settled = max(self.ring.settled, min(piece.end, self.settled))


def plan(manifest: Manifest, samples: SequenceRing, end: int, reach: int, ring: TokenRing) -> TokenWindow:
    """Return the window of a run that ends after so many samples.

    `samples` hold the run as it is encoded; those from `reach` before the end on may be others where the run goes on.
    The tokens in `ring` that are settled stay, as far as they are settled by this end. A run shorter than a window is
    followed by silence up to a window, as it is in training.
    """
    spec, size = manifest.pieces, manifest.token_samples
    assert spec is not None, "an audio encoder that takes pieces"
    begin, last = -(-samples.first // size), -(-end // size)
    first = min(max(begin, last - manifest.window_tokens), last)
    padded = max(last, min(last + spec.unsettled, begin + manifest.window_tokens))
    settled = (end - reach) // size - spec.unsettled
    if not ring.tokens.first <= first <= ring.settled:
        ring.clear(first)
    ring.settled = max(first, min(ring.settled, settled))
    pieces = []
    for token, after, newest in spans(spec, ring.settled, last, padded):
        oldest = newest - spec.tokens
        start = max(begin, oldest) * size
        taken = samples.view(start, min(newest * size, end))
        pieces.append(Piece(taken, start - oldest * size, token, after, newest))
    return TokenWindow(pieces, ring, first, last, settled)


def spans(spec: PieceSpec, token: int, last: int, padded: int) -> Iterator[tuple[int, int, int]]:
    """Yield, for each piece that gives the tokens from one up to another, which it gives; the last ends at `padded`.

    Those are the first that is taken, the one after the last that is taken, and the one after the last that is given.
    """
    while padded - token > spec.given:
        after = token + spec.given - spec.unsettled
        yield token, after, token + spec.given
        token = after
    if token < last:
        yield token, last, padded
