"""Pieces planned for a window, by hand."""

import numpy as np
import pytest

from edge.bundle.load import Bundle
from edge.bundle.manifest import Frames, Manifest, PieceSpec
from edge.live.token_window import TokenRing, plan, spans
from edge.preprocess.dc_offset import reach
from edge.preprocess.sequence_ring import SequenceRing
from tests.edge.made_pieces import SPEC, T, with_pieces


@pytest.fixture
def pieced(voice_manifest: Manifest) -> Manifest:
    return with_pieces(voice_manifest)


@pytest.mark.parametrize(
    ("token", "last", "padded", "expected"),
    [
        (7, 7, 7, []),
        (6, 7, 7, [(6, 7, 7)]),
        (6, 7, 9, [(6, 7, 9)]),
        (3, 12, 12, [(3, 12, 12)]),
        (3, 12, 14, [(3, 10, 12), (10, 12, 14)]),
        (2, 12, 12, [(2, 9, 11), (9, 12, 12)]),
        (0, 48, 48, [(0, 7, 9), (7, 14, 16), (14, 21, 23), (21, 28, 30), (28, 35, 37), (35, 42, 44), (42, 48, 48)]),
    ],
)
def test_pieces_cover_what_is_wanted_and_the_last_ends_with_it(
    token: int, last: int, padded: int, expected: list[tuple[int, int, int]]
) -> None:
    assert list(spans(PieceSpec(tokens=24, given=9, unsettled=2), token, last, padded)) == expected


FRAMES = PieceSpec(tokens=7, given=9, unsettled=2, frames=Frames(before=17, width=1, seen=12, overlap=75))


@pytest.mark.parametrize(
    ("token", "last", "padded", "begin", "framed", "expected"),
    [
        (40, 40, 42, 0, 40, []),
        (39, 47, 47, 0, 41, [(39, 47, 47)]),
        (39, 47, 47, 0, 37, [(39, 39, 44), (39, 47, 47)]),
        (0, 1, 3, 0, 0, [(0, 0, 7), (0, 1, 12)]),
        (0, 20, 22, 0, 0, [(0, 0, 7), (0, 10, 12), (10, 17, 19), (17, 20, 22)]),
        (5, 35, 35, 5, 5, [(5, 5, 12), (5, 15, 17), (15, 22, 24), (22, 29, 31), (29, 35, 35)]),
    ],
)
def test_pieces_with_frames_are_preceded_by_those_that_give_the_frames(
    token: int, last: int, padded: int, begin: int, framed: int, expected: list[tuple[int, int, int]]
) -> None:
    assert list(spans(FRAMES, token, last, padded, begin, framed)) == expected


def run_of(samples: int) -> SequenceRing:
    run = SequenceRing(samples, room=0)
    run.write(0, np.arange(samples, dtype=np.float32))
    return run


@pytest.mark.parametrize(
    ("end", "first", "last", "settled"), [(1, 0, 1, -3), (400, 0, 4, 1), (401, 0, 5, 1), (3333, 14, 34, 30)]
)
def test_tokens_lie_on_the_samples_of_the_run(pieced: Manifest, end: int, first: int, last: int, settled: int) -> None:
    """The newest may reach past the end; what lies 200 samples and a token before it is settled."""
    window = plan(pieced, run_of(4000), end, 200, TokenRing(pieced))
    assert (window.first, window.end, window.settled) == (first, last, settled)
    assert len(window) == last - first


def test_a_piece_at_the_begin_says_where_the_sound_begins(pieced: Manifest) -> None:
    window = plan(pieced, run_of(4000), 150, 0, TokenRing(pieced))
    (piece,) = window.pieces
    after = SPEC.unsettled  # tokens of silence, as the run is shorter than a window
    assert (piece.begin, piece.samples.tolist()) == ((SPEC.tokens - after - 2) * T, list(range(150)))


@pytest.mark.parametrize("seed", range(5))
def test_half_a_second_is_one_piece_of_the_shipped_encoder(shipped_bundle: Bundle, seed: int) -> None:
    """Wherever windows end on the grid of tokens, and if the sound card's clock differs."""
    manifest, rng = shipped_bundle.manifest, np.random.default_rng(seed)
    run, ring, end = SequenceRing(250_000, room=0), TokenRing(manifest), int(rng.integers(110_000, 112_000))
    run.write(0, np.zeros(250_000, np.float32))
    for number in range(15):
        window = plan(manifest, run, end, reach(manifest.audio.rate_hz), ring)
        assert len(window.pieces) == (1 if number else 9)
        for piece in window.pieces:
            tokens, frames = np.zeros((12, 160), np.float32), np.zeros((7, 512), np.float32)
            window.put(piece, tokens, np.zeros(12, np.float32), frames)
        end += 8000 + int(rng.integers(-100, 101))


def test_a_piece_in_the_middle_is_whole(pieced: Manifest) -> None:
    for piece in plan(pieced, run_of(4000), 4000, 0, TokenRing(pieced)).pieces:
        assert (piece.begin, len(piece.samples)) == (0, SPEC.tokens * T)
        assert piece.samples[-1] == piece.newest * T - 1
