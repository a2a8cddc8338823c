"""Audio tokens of a window where the audio encoder takes pieces of sound: those kept, and what gives the others.

Token k of a run of sound stands for its samples from k * T on, wherever windows end: the newest token of a window may
reach past its end. Where the audio encoder takes frames, those of tokens are kept like tokens.
Dimensions: n tokens of a window, Da their width, T samples of a token; Ts tokens that a piece gives, Tp its own, Df the
values in the frames of a token.
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
    """float32 `[n]`, a view; with those on either side that the encoder takes, too."""
    begin: int
    """Samples that the encoder takes before them: there was no sound, or they are not given."""
    sound: int
    """Samples after the begin of the piece at which the sound ends; negative where it ends before."""
    first: int
    """Number in the run of the first token that is taken of those that the piece gives."""
    end: int
    """Number of the token after the last that is taken."""
    newest: int
    """Number of the token after the last of the piece, the last that it gives."""


class TokenRing:
    """Ring of the newest tokens of a run, with their probability of voice and frames where the bundle has them."""

    def __init__(self, manifest: Manifest) -> None:
        assert manifest.pieces is not None, "an audio encoder that takes pieces"
        window, width, spec = manifest.window_tokens, int(manifest.graphs.fusion.inputs[0].shape[2]), manifest.pieces
        self.tokens = SequenceRing(window, room=2 * window, shape=(width,))
        self.voice = None if manifest.voice is None else SequenceRing(window, room=2 * window)
        self.frames = None
        if spec.frames is not None:
            kept = window + spec.past + spec.seen
            self.frames = SequenceRing(kept, room=window, shape=(spec.frames.width,))
        self.clear(0, 0)

    def clear(self, token: int, first: int) -> None:
        """Forget everything and go on with a token; those from a first one on will be right."""
        for ring in (self.tokens, self.voice, self.frames):
            if ring is not None:
                ring.clear(token)
        self.begin = token
        """Number of the first token that was encoded."""
        self.first = first
        """Number of the first token that is that of the whole run."""
        self.settled = token
        """Number of the token after the last that is kept for later windows."""
        self.framed = token
        """Number of the token after the last whose frames are kept for later pieces."""

    def covers(self, token: int) -> bool:
        """Return whether all tokens from one on are right, as far as they are settled."""
        return max(self.first, self.tokens.first) <= token <= self.settled

    def write(self, token: int, tokens: Array, voice: Array | None) -> None:
        """Write tokens `[n, Da]` with their voice `[n]` from one on; what stood there and after it is gone."""
        self.tokens.write(token, tokens)
        if self.voice is not None and voice is not None:
            self.voice.write(token, voice)

    def write_frames(self, newest: int, frames: Array) -> None:
        """Write frames `[n, Df]` of the tokens up to one; what stood after it is gone."""
        if self.frames is not None:
            self.frames.write(newest - len(frames), frames)


@dataclass(frozen=True)
class TokenWindow:
    """Tokens of one window, whole once each of its pieces is put; a view that holds until its stream changes."""

    pieces: list[Piece]
    """Pieces that give the tokens that are not kept, in order: where they have frames, each needs those before it."""
    ring: TokenRing
    first: int
    """Number in the run of the window's first token."""
    end: int
    """Number of the token after its last."""
    settled: int
    """Number of the token after the last that will not change when sound follows."""
    framed: int
    """Number of the token after the last whose frames will not."""

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

    def frames_before(self, token: int, count: int) -> Array:
        """Return the frames `[n, Df]` of so many tokens before one, n <= count, as far as they are sound."""
        assert self.ring.frames is not None, "an audio encoder that takes frames"
        return self.ring.frames.view(token - count, token)

    def put(self, piece: Piece, tokens: Array, voice: Array | None, frames: Array | None) -> None:
        """Take what the audio encoder gives for a piece, `[Ts, Da]`, `[Ts]`, `[Tp, Df]`; only finite rows are kept."""
        taken = slice(len(tokens) - (piece.newest - piece.first), len(tokens) - (piece.newest - piece.end))
        tokens, voice = tokens[taken], None if voice is None else voice[taken]
        ring = self.ring
        ring.write(piece.first, tokens, voice)
        is_finite = np.isfinite(tokens).all() and (voice is None or np.isfinite(voice).all())
        if frames is not None:
            ring.write_frames(piece.newest, frames)
            is_finite = is_finite and np.isfinite(frames).all()
            if is_finite and ring.framed >= piece.newest - len(frames):
                ring.framed = max(ring.framed, min(piece.newest, self.framed))
        if is_finite and ring.settled >= piece.first:
            ring.settled = max(ring.settled, min(piece.end, self.settled))


def plan(manifest: Manifest, samples: SequenceRing, end: int, reach: int, ring: TokenRing) -> TokenWindow:
    """Return the window of a run that ends after so many samples.

    `samples` hold the run as it is encoded; those from `reach` before the end on may be others where the run goes on.
    What is settled in `ring` stays, as far as it is settled by this end. A run shorter than a window is followed by
    silence up to a window, as it is in training.
    """
    spec, size = manifest.pieces, manifest.token_samples
    assert spec is not None, "an audio encoder that takes pieces"
    begin, last = -(-samples.first // size), -(-end // size)
    first = min(max(begin, last - manifest.window_tokens), last)
    padded = max(last, min(last + spec.unsettled, begin + manifest.window_tokens))
    settled, framed = (end - reach) // size - spec.unsettled, (end - reach - spec.overlap) // size
    if not ring.covers(first):
        ring.clear(max(begin, first - spec.past) if spec.frames else first, first)
    ring.settled = max(min(first, ring.settled), min(ring.settled, settled))
    ring.framed = max(ring.begin, min(ring.framed, framed))
    pieces = []
    for token, after, newest in spans(spec, ring.settled, last, padded, ring.begin, ring.framed):
        start = (newest - spec.tokens) * size
        oldest = max(begin * size, start - spec.overlap)
        taken = samples.view(oldest, min(newest * size + spec.overlap, end))
        pieces.append(
            Piece(taken, oldest - start + spec.overlap, min(newest * size, end) - start, token, after, newest)
        )
    return TokenWindow(pieces, ring, first, last, settled, framed)


def spans(
    spec: PieceSpec, token: int, last: int, padded: int, begin: int = 0, framed: int = 0
) -> Iterator[tuple[int, int, int]]:
    """Yield, for each piece that gives the tokens from one up to another, which it gives; the last ends at `padded`.

    Those are the first that is taken, the one after the last that is taken, and the one after the last of the piece.
    With frames, those of the tokens from `begin` up to `framed` are there; a piece of which no token is taken gives
    those that are lacking before another. The first tokens from `begin` on are right if the encoder sees none before.
    """
    while token < last:
        newest = min(token + spec.given, padded)
        if spec.frames is not None:
            newest = max(newest, begin + spec.seen)
            while framed < newest - spec.tokens:
                framed += spec.tokens
                yield token, token, framed
            framed = newest
        after = last if newest >= padded else newest - spec.unsettled
        yield token, after, newest
        token = after
