"""The judge against the pieces that it is made of: the window, the recogniser, and what the reporter publishes."""

from types import SimpleNamespace

import numpy as np
import pytest

from edge.live.signal_quality import is_dark
from edge.preprocess.dc_offset import without_offset
from edge.sources import demo
from edge.wire.evidence import AudioEvidence, Latency, VideoEvidence
from edge.wire.messages import UNCERTAIN, Prediction
from train.field import pictures
from train.field.draws import generator
from train.field.judge import SILENT, Judge, Scene, judgement, media_of
from train.field.rows import overlap


def test_what_the_recogniser_says_of_the_sound_is_published(judge: Judge, voice: np.ndarray) -> None:
    spec = judge.manifest.audio
    recording = np.resize(voice, spec.samples)
    width = int(judge.manifest.graphs.fusion.inputs[2].shape[2])
    samples = without_offset(recording, spec.rate_hz)
    window = SimpleNamespace(samples=samples, tokens=None, embeddings=np.zeros((0, width), np.float32))
    expected = judge.recognizer.recognize([window])[0]
    found = judge(Scene(recording))
    assert found.probs is not None
    assert found.probs == pytest.approx(expected.probs.tolist(), abs=1e-6)  # the same graphs on the same samples
    assert found.label == expected.label(judge.manifest.labels)
    assert found.confidence == pytest.approx(max(found.probs))


def test_of_a_long_recording_its_end_is_judged(judge: Judge, voice: np.ndarray) -> None:
    """The last 6 s count, and by the running means the 2 s before them: what was earlier changes nothing."""
    spec = judge.manifest.audio
    recording = np.resize(voice, 9 * spec.rate_hz)
    longer = np.concatenate([0.1 * recording[: 4 * spec.rate_hz][::-1], recording])
    found, again = judge(Scene(recording)), judge(Scene(longer))
    # the same tokens, in pieces that begin elsewhere: within what the graphs may differ by
    assert found.probs == pytest.approx(again.probs, abs=judge.manifest.graphs.fusion.tolerance)
    assert found.label == again.label


@pytest.mark.parametrize("seconds", [0.5, 1.01, 2.5])
def test_a_short_sound_ends_at_the_windows_end(judge: Judge, seconds: float) -> None:
    samples = np.ones(round(seconds * judge.manifest.audio.rate_hz), np.float32)
    media, end_ns = media_of(Scene(samples, np.zeros((8, 8, 3), np.uint8)), judge.manifest)
    blocks = [item for item in media if hasattr(item, "samples")]
    frames = [item for item in media if hasattr(item, "image")]
    assert sum(len(block.samples) for block in blocks) == len(samples)
    assert blocks[-1].end_ns == end_ns
    assert len(frames) == 5
    assert frames[-1].end_ns < end_ns
    assert media == sorted(media, key=lambda item: item.end_ns)


def test_a_face_is_found_where_it_is_drawn(judge: Judge, voice: np.ndarray) -> None:
    seen = judge(Scene(None, demo.face(demo.MOODS[0])))
    assert seen.box is not None
    assert seen.label in judge.manifest.labels
    both = judge(Scene(voice, demo.face(demo.MOODS[0])))
    assert both.box == seen.box
    assert both.probs != seen.probs


def test_a_face_in_low_light_is_the_face_that_it_is(judge: Judge) -> None:
    lit = demo.face(demo.MOODS[0])
    dim = pictures.low_light(lit, generator(1, "dim"))
    assert is_dark(dim)
    seen, expected = judge(Scene(None, dim)), judge(Scene(None, lit))
    assert expected.box is not None
    assert overlap(expected.box, seen.box) > 0.8
    assert seen.label == expected.label


def test_of_nothing_nothing_is_published(judge: Judge) -> None:
    assert judge(Scene(np.zeros(32_000, np.float32))) == SILENT
    assert judge(Scene(None, np.full((720, 1280, 3), 128, np.uint8))) == SILENT


def test_an_uncertain_prediction_names_no_emotion(judge: Judge, voice: np.ndarray) -> None:
    said = Prediction(
        schema=1,
        session="",
        stream="",
        seq=0,
        t_start=0,
        t_end=0,
        t_publish=0,
        mono_start=0,
        mono_end=0,
        mono_publish=0,
        label=UNCERTAIN,
        labels=["angry", "sad"],
        probs=[0.5, 0.5],
        confidence=0.5,
        agreement=None,
        audio=AudioEvidence("no_speech", -60.0, 0.0),
        video=VideoEvidence("off", None, None, 0),
        latency_ms=Latency(0, 0, 0, 0),
        dropped={},
        bundle="",
        backend="",
    )
    assert judgement([said]) == SILENT._replace(confidence=0.5, probs=[0.5, 0.5])
