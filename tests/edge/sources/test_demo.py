"""Demo recording: its times, pitch and faces, what it says that it shows, and that it never changes."""

import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.preprocess.face_cascade import CascadeDetector
from edge.preprocess.framing import FaceFraming
from edge.preprocess.media import Block, Frame
from edge.sources.demo import (
    BEGINS_S,
    CAPTIONS,
    CLOSED_HZ,
    DURATION_S,
    MOOD_S,
    MOODS,
    PARTS,
    PHRASE,
    VOWELS_HZ,
    Demo,
    articulate,
    voice,
)

SOUND, PICTURE = AudioSpec(16000, 6.0), VideoSpec(5.0, 64, 64, "face")
MS = 1_000_000


def part_at(time_ns: int) -> int:
    return max(index for index, begin_s in enumerate(BEGINS_S) if begin_s * 1e9 <= time_ns)


def test_it_is_audio_and_video_by_time_but_for_the_lost_microphone() -> None:
    media = list(Demo(SOUND, PICTURE).read())
    times = [item.end_ns for item in media]
    assert times == sorted(times)
    assert DURATION_S == 34
    assert [item.end_ns // MS for item in media if isinstance(item, Block)] == list(range(20, 30001, 20))
    assert [item.end_ns // MS for item in media if isinstance(item, Frame)] == list(range(0, 34000, 200))
    assert {len(item.samples) for item in media if isinstance(item, Block)} == {320}
    assert [part.has_microphone for part in PARTS] == [True] * 6 + [False]


def test_it_says_what_it_shows_from_when_on() -> None:
    assert [(caption.time_ns // MS, caption.text) for caption in CAPTIONS][3:5] == [
        (12000, "a sad face and voice"),
        (16000, "a face that says nothing: soon the face alone counts"),
    ]


def test_nobody_speaks_is_a_quiet_room_and_no_muted_microphone() -> None:
    blocks = [item for item in Demo(SOUND, None).read() if isinstance(item, Block) and part_at(item.end_ns - MS) == 4]
    levels = [float(np.sqrt(np.mean(np.square(block.samples)))) for block in blocks]
    assert len(levels) == 350
    assert max(levels) < 0.002
    assert min(levels) > 0.0005


@pytest.mark.parametrize(("audio", "image", "kind"), [(SOUND, None, Block), (None, PICTURE, Frame)])
def test_only_what_is_asked_for_is_given(audio, image, kind: type) -> None:
    assert {type(item) for item in Demo(audio, image).read()} == {kind}


def test_it_is_the_same_every_time() -> None:
    for one, other in zip(Demo(SOUND, PICTURE).read(), Demo(SOUND, PICTURE).read(), strict=True):
        assert one.end_ns == other.end_ns
        if isinstance(one, Block):
            np.testing.assert_array_equal(one.samples, other.samples)
        else:
            np.testing.assert_array_equal(one.image, other.image)


def test_a_face_is_found_in_every_frame_but_behind_the_hand() -> None:
    framings = [FaceFraming(64, 64, CascadeDetector()) for _ in PARTS]
    for item in Demo(None, PICTURE).read():
        part = part_at(item.end_ns)
        assert framings[part](item.image).faces == (0 if PARTS[part].is_covered else 1)


@pytest.mark.parametrize("mood", MOODS)
def test_the_voice_has_the_moods_pitch_and_never_clips(mood) -> None:
    samples = voice(mood, 16000)
    assert (samples.dtype, len(samples)) == (np.float32, round(MOOD_S * 16000))
    assert np.abs(samples).max() == pytest.approx(mood.level)
    spectrum = np.abs(np.fft.rfft(samples))
    hz = np.fft.rfftfreq(len(samples), 1 / 16000)
    low = (hz > 60) & (hz < 1.6 * mood.pitch_hz)
    assert hz[low][spectrum[low].argmax()] == pytest.approx(mood.pitch_hz, rel=1.2 * mood.pitch_swing + 0.05)


@pytest.mark.parametrize("mood", MOODS)
def test_the_voice_pauses_after_each_phrase(mood) -> None:
    samples = voice(mood, 16000)
    begin_s, end_s = (PHRASE - 1) / mood.syllables_hz, PHRASE / mood.syllables_hz
    spoken, pause = samples[: round(begin_s * 16000)], samples[round((begin_s + 0.05) * 16000) : round(end_s * 16000)]
    assert np.abs(spoken).max() > 100 * np.abs(pause).max()


def test_each_syllable_opens_to_a_vowel_of_its_own() -> None:
    loudness, formants_hz = articulate(np.array([[0.0], [0.4], [1.4], [5.4], [6.4]]))
    assert loudness[:, 0] == pytest.approx([0, 1, 1, 0, 1])
    np.testing.assert_array_equal(formants_hz[1:], VOWELS_HZ[[0, 1, 0, 1]])
    assert formants_hz[0] == pytest.approx(CLOSED_HZ)
