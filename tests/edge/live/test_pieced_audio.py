"""Tokens made piece by piece, against those of the whole run of sound at once, of an encoder reckoned by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from edge.bundle.manifest import Manifest, PieceSpec
from edge.live.recognizer import Recognizer
from edge.live.stream import Stream
from edge.preprocess.dc_offset import without_offset
from edge.preprocess.media import Block, Discontinuity
from tests.conftest import NumpyBackend
from tests.edge.made_pieces import FRAMES_SPEC, RATE_HZ, SPEC, WINDOW, PieceBackend, T, tokens_of_run, with_pieces
from tests.edge.made_stream import Framer

MS = 1_000_000


@pytest.fixture(params=[SPEC, FRAMES_SPEC], ids=["whole pieces", "frames"])
def pieced(voice_manifest: Manifest, request: pytest.FixtureRequest) -> Manifest:
    return with_pieces(voice_manifest, request.param)


@dataclass
class Script:
    """A microphone, and a list of all that it gave since the last break, beside the stream that hears it."""

    stream: Stream
    rng: np.random.Generator
    now_ns: int = 0
    drift: float = 0.0
    """Share by which the card's seconds are shorter."""
    run: list[np.ndarray] = field(default_factory=list)
    begin_ns: int = 0
    end_ns: int | None = None

    def hear(self, samples: int, *, level: float = 0.3, gap_ms: int = 0) -> None:
        self.now_ns += round((samples + gap_ms) * MS * (1 + self.drift))
        end_ns = max(self.begin_ns, self.now_ns + int(self.rng.integers(-40, 41)) * MS)
        silent_ns = end_ns - samples * MS - (end_ns - samples * MS if self.end_ns is None else self.end_ns)
        if silent_ns > 500 * MS or silent_ns < -100 * MS:
            self.run.clear()
        elif silent_ns > 100 * MS:
            self.run.append(np.zeros(silent_ns // MS))
        block = (self.rng.normal(size=samples) * level + 0.2).astype(np.float32)
        self.run.append(block)
        self.end_ns = end_ns
        self.stream.add(Block(block, end_ns))

    def pause(self, gap_ms: int) -> None:
        """Nothing comes for so long: a block that follows finds the gap."""
        self.hear(20, gap_ms=gap_ms)

    def restart(self) -> None:
        self.run.clear()
        self.begin_ns, self.end_ns = self.now_ns, None
        self.stream.add(Discontinuity(self.now_ns))


def expected_tokens(manifest: Manifest, run: np.ndarray) -> np.ndarray:
    """Tokens of the window that ends with the run, `[n, 2]`, of the whole run at once."""
    last = -(-len(run) // T)
    clean = without_offset(run, RATE_HZ).astype(np.float64)
    padded = np.pad(clean, (0, last * T - len(run)))
    return tokens_of_run(manifest, padded, len(run), max(0, last - WINDOW), last - max(0, last - WINDOW))


def heard_by_fusion(backend: NumpyBackend, row: int = 0) -> np.ndarray:
    """The audio tokens `[n, 2]` of the newest batch of windows."""
    name, inputs = backend.calls[-1]
    assert name == "fusion"
    count = int(inputs["audio_mask"][row].sum())
    assert inputs["audio_mask"][row, :count].all()
    return inputs["audio_tokens"][row, :count]


def make_stream(manifest: Manifest, hop_ms: int) -> Stream:
    return Stream(manifest, Framer(), audio=True, video=False, begin_ns=0, hop_ns=hop_ms * MS)


def scripts(rng: np.random.Generator, stream: Stream) -> Iterator[Script]:
    """Yield after each of a few hundred events; blocks of any length, gaps, breaks, stillness."""
    script = Script(stream, rng, drift=float(rng.uniform(-0.01, 0.01)))
    for _ in range(300):
        event = rng.random()
        if event < 0.9:
            script.hear(int(rng.integers(1, 120)))
        elif event < 0.93:
            script.hear(int(rng.integers(100, 1500)), level=0.0)
        elif event < 0.97:
            script.pause(int(rng.choice([50, 120, 300, 500, 520, 900])))
        elif event < 0.98:
            script.restart()
        yield script


@pytest.mark.parametrize("seed", range(30))
def test_the_tokens_of_a_window_are_those_of_the_whole_run(pieced: Manifest, seed: int) -> None:
    """Of any hop and length of blocks, with gaps, breaks, drift and jitter, whatever windows are passed over."""
    rng, backend = np.random.default_rng(seed), PieceBackend()
    recognizer = Recognizer(pieced, backend)
    stream = make_stream(pieced, int(rng.choice([20, 100, 250, 500, 700, 1500, 2500])))
    late, passed_over, checked = float(rng.choice([0, 0.8])), float(rng.choice([0, 0.3, 0.8])), 0
    for script in scripts(rng, stream):
        if rng.random() < 0.01:
            stream.set_hop(int(rng.choice([20, 333, 500, 1700])) * MS, script.now_ns)
        if rng.random() < late:
            continue
        while due := stream.next_window(script.now_ns, latest_only=bool(rng.random() < 0.5)):
            end = stream._samples.position(due.end_ns) - stream._samples.samples.end
            window = stream.cut(due.end_ns)
            if window is None or len(window.samples) == 0 or rng.random() < passed_over:
                continue
            heard = np.concatenate(script.run)
            heard = heard[: len(heard) + end].astype(np.float32)
            recognizer.recognize([window])
            np.testing.assert_allclose(window.samples, without_offset(heard, RATE_HZ)[-2000:], atol=1e-6)
            np.testing.assert_allclose(heard_by_fusion(backend), expected_tokens(pieced, heard), atol=1e-4)
            checked += 1
    assert checked


def listen(stream: Stream, samples: np.ndarray, end_ms: int) -> None:
    """Hear samples in blocks of 20 ms, the last of which ends at a time."""
    for first in range(0, len(samples), 20):
        stream.add(Block(samples[first : first + 20].astype(np.float32), (end_ms - len(samples) + first + 20) * MS))


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=samples) * 0.3


@pytest.mark.parametrize(
    ("spec", "hop_ms", "pieces", "most"),
    [
        (SPEC, 100, [10], 2),
        (SPEC, 500, [10], 4),
        (SPEC, 4000, [10], 10),
        (FRAMES_SPEC, 100, [1] * 12, 2),
        (FRAMES_SPEC, 500, [1] * 12, 4),
        (FRAMES_SPEC, 4000, [1] * 12, 12),
    ],
)
def test_a_hop_costs_what_is_new_in_it(
    voice_manifest: Manifest, spec: PieceSpec, hop_ms: int, pieces: list[int], most: int
) -> None:
    """A piece of this encoder settles two tokens, and up to four wait for what follows; a window is ten pieces.

    With frames it is two more, each after another: the three tokens before the window are encoded, too.
    """
    pieced = with_pieces(voice_manifest, spec)
    backend = PieceBackend()
    recognizer, stream, encoded = Recognizer(pieced, backend), make_stream(pieced, hop_ms), []
    listen(stream, noise(4000), 4000)
    for end_ms in range(4000 + hop_ms, 16_000, hop_ms):
        backend.calls.clear()
        listen(stream, noise(hop_ms, end_ms), end_ms)
        recognizer.recognize([stream.cut(end_ms * MS)])
        encoded.append([len(inputs["end"]) for name, inputs in backend.calls if name == "audio_encoder"])
    assert encoded[0] == pieces
    assert max(sum(batches) for batches in encoded[1:]) <= most


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_after_samples_that_are_not_finite_a_run_begins(pieced: Manifest, spoilt: float) -> None:
    backend = PieceBackend()
    recognizer, stream = Recognizer(pieced, backend), make_stream(pieced, 500)
    samples = noise(6000)
    samples[3050] = spoilt
    listen(stream, samples[:3000], 3000)
    recognizer.recognize([stream.cut(3000 * MS)])
    listen(stream, samples[3000:3500], 3500)
    with np.errstate(invalid="ignore"):
        window = stream.cut(3500 * MS)
    assert not np.isfinite(window.samples).all(), "the runner drops it"
    assert window.tokens is None
    listen(stream, samples[3500:], 6000)
    for end in (3600, 4000, 6000):
        window = stream.cut(end * MS)
        recognizer.recognize([window])
        clean = without_offset(samples[3051:end].astype(np.float32), RATE_HZ)
        np.testing.assert_allclose(window.samples, clean[-2000:], atol=1e-6)
        run = clean[49:].astype(np.float64)
        expected = tokens_of_run(pieced, run, end - 3100, 0, (end - 3100) // T)
        np.testing.assert_allclose(heard_by_fusion(backend), expected[-WINDOW:], atol=1e-4)


def test_tokens_that_are_not_finite_are_not_kept(pieced: Manifest) -> None:
    backend = PieceBackend()
    recognizer, stream, samples = Recognizer(pieced, backend), make_stream(pieced, 500), noise(4000)
    listen(stream, samples, 4000)
    real = backend.audio_encoder
    backend.audio_encoder = lambda inputs: {name: made * np.nan for name, made in real(inputs).items()}
    for end_ms in (3000, 3500):
        assert np.isnan(recognizer.recognize([stream.cut(end_ms * MS)])[0].probs).all()
    del backend.audio_encoder
    assert np.isfinite(recognizer.recognize([stream.cut(4000 * MS)])[0].probs).all()
    np.testing.assert_allclose(heard_by_fusion(backend), expected_tokens(pieced, samples.astype(np.float32)), atol=1e-4)


def test_the_pieces_of_all_streams_are_one_batch(pieced: Manifest) -> None:
    backend = PieceBackend()
    recognizer, streams = Recognizer(pieced, backend), [make_stream(pieced, 100) for _ in range(12)]
    sounds = [noise(2600 + 100 * seed, seed) for seed in range(12)]
    for stream, sound in zip(streams, sounds, strict=True):
        listen(stream, sound, len(sound))
    for back_ms in (100, 0):
        ends = [len(sound) - back_ms for sound in sounds]
        backend.calls.clear()
        recognizer.recognize([stream.cut(end * MS) for stream, end in zip(streams, ends, strict=True)])
    batches = [12, 12] if pieced.pieces == FRAMES_SPEC else [24]
    assert [(name, len(next(iter(inputs.values())))) for name, inputs in backend.calls] == [
        *(("audio_encoder", count) for count in batches),
        ("fusion", 12),
    ]
    for row, sound in enumerate(sounds):
        expected = expected_tokens(pieced, sound.astype(np.float32))
        np.testing.assert_allclose(heard_by_fusion(backend, row), expected, atol=1e-4)


def test_a_still_window_has_no_audio_and_what_follows_is_right(pieced: Manifest) -> None:
    backend = PieceBackend()
    recognizer, stream = Recognizer(pieced, backend), make_stream(pieced, 500)
    samples = np.concatenate([noise(3000), np.zeros(3000), noise(1000, 1)])
    listen(stream, samples, len(samples))
    recognizer.recognize([stream.cut(3000 * MS)])
    assert stream.cut(5500 * MS) is None
    recognizer.recognize([stream.cut(7000 * MS)])
    np.testing.assert_allclose(heard_by_fusion(backend), expected_tokens(pieced, samples.astype(np.float32)), atol=1e-4)
