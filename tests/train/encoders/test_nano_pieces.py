"""The encoder in pieces, and the shipped graphs of it in the runtime, against the encoder on a whole sound at once."""

import numpy as np
import pytest
import torch
from torch import Tensor

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import SHIPPED, load
from edge.live.recognizer import Recognizer
from edge.live.stream import Stream
from edge.preprocess.dc_offset import without_offset
from edge.preprocess.media import Block
from edge.sources.demo import MOODS, voice
from tests.edge.made_stream import Framer
from tests.train import made
from train import config
from train.encoders.nano_audio import TOKEN_SAMPLES, NanoAudioEncoder
from train.encoders.nano_pieces import PIECES, ContextFusion, PieceEncoder
from train.fusion import Fusion
from train.origin import open_origin

RATE_HZ = 16_000
FRAMES = PIECES.frames
assert FRAMES is not None
TOLERANCE = 1e-4
"""Largest difference of two orders of sums: tokens are of the size of 1, and differ by 1e-5 between processors."""


@pytest.fixture(scope="module")
def encoder() -> NanoAudioEncoder:
    """That of the shipped bundle."""
    origin = open_origin(config.load(made.SHIPPED), SHIPPED.name)
    assert origin is not None
    assert isinstance(origin.model.audio_encoder, NanoAudioEncoder)
    return origin.model.audio_encoder


@torch.no_grad()
def whole(encoder: NanoAudioEncoder, sound: np.ndarray, least: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Tokens `[n, Da]` and P(voice) `[n]` of a whole sound at once, whose newest token may reach past its end.

    It is followed by silence up to the least length.
    """
    padded = np.pad(sound, (0, max(-len(sound) % TOKEN_SAMPLES, least - len(sound)))).astype(np.float32)
    tokens, mask = encoder.local_tokens(torch.from_numpy(padded)[None], torch.tensor([len(sound)]))
    return tokens[mask].numpy(), encoder.voice_logits(tokens).sigmoid()[mask].numpy()


def frames_of(encoder: NanoAudioEncoder, sound: np.ndarray, tokens: int) -> Tensor:
    """Frames `[tokens, 512]` of so many tokens of a sound at once."""
    padded = np.pad(sound, (PIECES.overlap, max(0, tokens * TOKEN_SAMPLES + PIECES.overlap - len(sound))))
    taken = padded[: tokens * TOKEN_SAMPLES + 2 * PIECES.overlap].astype(np.float32)
    return encoder.log_mel.decades(torch.from_numpy(taken)[None]).reshape(tokens, -1)


def piece_of(encoder: NanoAudioEncoder, sound: np.ndarray, newest: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The inputs for the piece that ends with the token before `newest`, at least the twelfth."""
    start, overlap = newest - PIECES.tokens, PIECES.overlap
    padded = np.pad(sound, (overlap, newest * TOKEN_SAMPLES + overlap)).astype(np.float32)
    waveform = padded[start * TOKEN_SAMPLES :][: PIECES.tokens * TOKEN_SAMPLES + 2 * overlap]
    frames = frames_of(encoder, sound, start)[-FRAMES.before :]
    before = torch.cat([torch.zeros(FRAMES.before - len(frames), FRAMES.width), frames])
    end = torch.tensor([len(sound) - start * TOKEN_SAMPLES])
    return torch.from_numpy(waveform)[None], end, before[None], torch.tensor([len(frames)])


def sound_of(samples: int) -> np.ndarray:
    """Voices, and a noise that comes and goes."""
    voices = np.concatenate([voice(mood, RATE_HZ) for mood in MOODS] * 4)[:samples]
    level = 0.02 * np.sin(np.arange(len(voices)) / 9000) ** 2
    return voices + np.random.default_rng(0).normal(size=len(voices)) * level


@pytest.mark.parametrize("samples", [1, 2001, 8000, 30_000, 48_000, 95_001, 160_000])
@torch.no_grad()
def test_every_piece_of_a_sound_gives_its_tokens(encoder: NanoAudioEncoder, samples: int) -> None:
    sound, pieces = sound_of(samples), PieceEncoder(encoder).eval()
    tokens, voices = whole(encoder, sound, PIECES.seen * TOKEN_SAMPLES)
    for newest in range(PIECES.seen, max(PIECES.seen, len(tokens)) + 1):
        found, frames, voiced = (each[0].numpy() for each in pieces(*piece_of(encoder, sound, newest)))
        assert found.shape == (PIECES.seen, encoder.width)
        first = 0 if newest == PIECES.seen else newest - PIECES.given
        for token in range(first, min(len(tokens), newest - (PIECES.unsettled if newest < len(tokens) else 0))):
            place = PIECES.seen - newest + token
            np.testing.assert_allclose(found[place], tokens[token], atol=TOLERANCE)
            np.testing.assert_allclose(voiced[place], voices[token], atol=TOLERANCE)
        expected = frames_of(encoder, sound, newest)[newest - PIECES.tokens :]
        np.testing.assert_allclose(frames, expected, atol=TOLERANCE)


@torch.no_grad()
def test_the_two_newest_tokens_wait_for_what_follows(encoder: NanoAudioEncoder) -> None:
    sound = sound_of(96_000)
    found = PieceEncoder(encoder).eval()(*piece_of(encoder, sound, 30))[0][0, -PIECES.given :].numpy()
    difference = np.abs(found - whole(encoder, sound)[0][30 - PIECES.given : 30]).max(axis=1)
    assert (difference[-PIECES.unsettled :] > 0.01).all()
    assert (difference[: -PIECES.unsettled] < TOLERANCE).all()


@torch.no_grad()
def test_a_row_is_the_same_alone_and_in_a_batch(encoder: NanoAudioEncoder) -> None:
    pieces, sound = PieceEncoder(encoder).eval(), sound_of(96_000)
    rows = [piece_of(encoder, sound, newest) for newest in (48, 12, 30)]
    together = pieces(*(torch.cat(parts) for parts in zip(*rows, strict=True)))
    for place, row in enumerate(rows):
        for found, expected in zip(pieces(*row), together, strict=True):
            torch.testing.assert_close(found[0], expected[place], atol=TOLERANCE, rtol=0)


@torch.no_grad()
def test_the_layers_before_the_fusion_are_the_encoders(encoder: NanoAudioEncoder) -> None:
    torch.manual_seed(0)
    fusion = Fusion(audio_width=encoder.width, video_width=8, classes=3, embedding_width=16, product=True).eval()
    waveform = torch.from_numpy(sound_of(64_000)).float().reshape(2, -1)
    waveform[1, 10_000:] = 0
    length = torch.tensor([32_000, 10_000])
    video, video_mask = torch.randn(2, 5, 8), torch.tensor([[True] * 5, [False] * 5])
    expected = fusion(*encoder(waveform, length)[:2], video, video_mask)
    found = ContextFusion(encoder, fusion).eval()(*encoder.local_tokens(waveform, length), video, video_mask)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "seed"), [("foal-nano", 0), ("foal-nano", 1), ("foal-nano", 2), ("foal-nano-seven", 0)]
)
def test_the_runtime_gives_the_fusion_the_tokens_of_the_whole_stream(
    encoder: NanoAudioEncoder, name: str, seed: int
) -> None:
    """By shipped graphs of one encoder, with frames and without; windows come when they will, some are passed over."""
    bundle, rng = load(SHIPPED.with_name(name)), np.random.default_rng(seed)
    recognizer = Recognizer(bundle.manifest, OrtBackend(bundle, threads=1))
    hop_ns = int(rng.choice([200_000_000, 500_000_000, 1_700_000_000]))
    stream = Stream(bundle.manifest, Framer(), audio=True, video=False, begin_ns=0, hop_ns=hop_ns)
    sound, heard, checked = sound_of(22 * RATE_HZ) + 0.1, 0, 0
    while heard < len(sound):
        begin, heard = heard, min(heard + int(rng.integers(100, 900)), len(sound))
        now_ns = heard * 62_500 + int(rng.integers(0, 200_000))
        stream.add(Block(sound[begin:heard].astype(np.float32), now_ns))
        while due := stream.next_window(now_ns):
            window, end = stream.cut(due.end_ns), stream._samples.position(due.end_ns)
            if window is None or rng.random() < 0.5:
                continue
            recognizer.recognize([window])
            assert window.tokens is not None
            assert window.tokens.voice is not None
            clean = without_offset(sound[:end].astype(np.float32), RATE_HZ)
            tokens, voices = whole(encoder, clean, bundle.manifest.audio.samples)
            tokens, voices = tokens[-48:], voices[-48:]
            np.testing.assert_allclose(
                window.tokens.tokens, tokens, atol=bundle.manifest.graphs.audio_encoder.tolerance
            )
            np.testing.assert_allclose(window.tokens.voice, voices, atol=bundle.manifest.graphs.audio_encoder.tolerance)
            checked += 1
    assert checked > 3
