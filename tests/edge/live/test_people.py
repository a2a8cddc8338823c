"""Windows of several people: the frames of each, the audio of the stream, and the tokens that are theirs."""

import numpy as np
import pytest

from edge.geometry import Box
from edge.live.active_speaker import UNCLEAR, ActiveSpeaker
from edge.live.people import LEFT_NS, People, most_common, token_times
from edge.live.recognizer import Recognizer
from edge.live.speaker_turns import NOBODY
from edge.live.stream import Stream
from edge.live.window import Window
from edge.preprocess.face_detector import Face
from edge.preprocess.framing import FramingResult, PersonFrame
from edge.preprocess.media import Block, Discontinuity, Frame
from edge.preprocess.pictures import Picture
from edge.preprocess.rings import SampleRing

MS = 1_000_000
HOP_MS = 500
FRAME_MS = 200
EMPTY = np.zeros(0, np.float32)


class Spoken(ActiveSpeaker):
    """Active speaker that is known: each turn has its begin in milliseconds and its speaker."""

    turns: tuple[tuple[int, int], ...] = ()

    def owners(self, times_ns: np.ndarray) -> np.ndarray:
        begins = [begin for begin, _ in self.turns]
        return np.array([self.turns[np.searchsorted(begins, time / MS, "right") - 1][1] for time in times_ns])


class Crowd:
    """Stream of people whose crops are all of a grey that is their number."""

    def __init__(self, manifest, recognizer, *turns: tuple[int, int]) -> None:
        self.there: tuple[int, ...] = ()
        self.recognizer = recognizer
        speaker = Spoken()
        speaker.turns = turns or ((0, NOBODY),)
        self.people = People(manifest, self.frame, speaker)
        self.stream = Stream(
            manifest, self.frame, audio=True, video=True, begin_ns=0, hop_ns=HOP_MS * MS, people=self.people
        )

    def frame(self, _image) -> FramingResult:
        people = tuple(
            PersonFrame(person, np.full((8, 8, 3), person, np.uint8), Face(Box(person, 0, 10 * person, 10 * person)))
            for person in self.there
        )
        return FramingResult(None, len(people) + 1, people[-1].face.box if people else None, people)

    def see(self, begin_ms: int, end_ms: int, *there: int, every_ms: int = FRAME_MS) -> None:
        self.there = there
        for at in range(begin_ms, end_ms, every_ms):
            self.stream.add(Frame(np.full((80, 80, 3), 128, np.uint8), at * MS))
        self.stream.crop_frames()
        if self.stream.crops:
            self.stream.add_embeddings(self.recognizer.embed(self.stream.crops))

    def hear(self, begin_ms: int, end_ms: int) -> None:
        for at in range(begin_ms, end_ms, 20):
            self.stream.add(Block(np.tile(np.float32([0.5, -0.5]), 10), (at + 20) * MS))


@pytest.fixture
def crowd(manifest, numpy_backend) -> Crowd:
    return Crowd(manifest, Recognizer(manifest, numpy_backend), (0, 1), (1000, 2), (1500, UNCLEAR))


def test_each_person_has_the_frames_of_their_own_and_all_share_the_audio(crowd) -> None:
    crowd.see(0, 1000, 1, 2)
    crowd.see(1000, 2000, 2)
    crowd.hear(0, 2000)
    window = crowd.stream.cut(2000 * MS)
    first, second = window.parts
    assert (first.person, second.person) == (1, 2)
    assert [len(part.embeddings) for part in window.parts] == [5, 10]
    assert all((part.embeddings[:, 0] == part.embeddings[0, 0]).all() for part in window.parts)
    assert first.samples is second.samples is window.samples
    assert (first.start_ns, first.end_ns) == (0, 2000 * MS)


def test_a_person_hears_the_tokens_of_their_own_voice(crowd) -> None:
    crowd.see(0, 2000, 1, 2)
    crowd.hear(0, 2000)
    first, second = crowd.stream.cut(2000 * MS).parts
    assert first.heard.tolist() == [True, True, False, False]
    assert second.heard.tolist() == [False, False, True, False]
    assert (first.speaker, second.speaker) == (2, 2)


def test_frames_between_those_that_are_encoded_show_mouths_alone(crowd) -> None:
    crowd.see(0, 2000, 1, every_ms=50)
    assert [len(part.embeddings) for part in crowd.stream.cut(2000 * MS).parts] == [10]


def test_slots_of_frames_begin_with_the_stream(manifest) -> None:
    """Else a recording has other frames in its windows than with `--fast`, by when it was started."""
    seen_ns: list[int] = []
    begin_ns = 130 * MS

    def frame(_image: Picture) -> FramingResult:
        seen_ns.append(now_ns)
        return FramingResult(None, 0, None)

    people = People(manifest, frame, Spoken(), begin_ns)
    for now_ns in range(begin_ns, begin_ns + 1000 * MS, 50 * MS):
        people.frame(np.zeros((80, 80, 3), np.uint8), now_ns)
    assert seen_ns == [begin_ns + 200 * MS * slot for slot in range(5)]


def test_who_is_hidden_has_no_box_and_who_has_left_no_window(crowd) -> None:
    crowd.see(0, 400, 1, 2)
    crowd.see(400, 1000, 2)
    hidden, there = crowd.stream.cut(1000 * MS).parts
    assert (hidden.framing.box, there.framing.box) == (None, Box(2, 0, 20, 20))
    assert (hidden.framing.faces, there.framing.faces) == (2, 2)
    crowd.see(1000, 200 + LEFT_NS // MS + FRAME_MS, 2)
    assert crowd.stream.present(200 * MS + LEFT_NS) == (1, 2)
    assert crowd.stream.present(200 * MS + LEFT_NS + 1) == (2,)
    assert [part.person for part in crowd.stream.cut(200 * MS + LEFT_NS + 1).parts] == [2]
    crowd.see(3000, 3400, 1, 2)
    assert [len(part.embeddings) for part in crowd.stream.cut(3400 * MS).parts] == [2, 7]


def test_with_nobody_there_the_window_is_the_streams_and_its_audio_counts(crowd) -> None:
    crowd.see(0, 1000)
    crowd.hear(0, 1000)
    window = crowd.stream.cut(1000 * MS)
    assert window.parts == (window,)
    assert (window.person, window.heard, window.video, len(window.samples)) == (None, None, "no_face", 1000)


def test_without_audio_there_are_the_people_alone(crowd) -> None:
    crowd.see(0, 1000, 3)
    [only] = crowd.stream.cut(1000 * MS).parts
    assert (only.person, len(only.samples), only.start_ns, only.end_ns) == (3, 0, 0, 800 * MS)
    assert crowd.stream.video_state(1000 * MS) == "ok"


def test_a_discontinuity_makes_all_forgotten(crowd) -> None:
    crowd.see(0, 1000, 1, 2)
    crowd.stream.add(Discontinuity(1000 * MS))
    assert crowd.stream.present(1000 * MS) == ()
    assert crowd.stream.cut(1000 * MS) is None


def test_one_person_alone_is_as_without_people(manifest, numpy_backend, crowd) -> None:
    crowd.see(0, 2000, 1)
    crowd.hear(0, 2000)
    [part] = crowd.stream.cut(2000 * MS).parts
    window = Window(part.samples, part.embeddings, None, 0, 0, "ok", "ok", None, 0.0)
    everything = np.ones(len(part.heard), np.bool_)
    alone, followed = (crowd.recognizer.recognize([window], heard)[0] for heard in ([], [everything]))
    np.testing.assert_array_equal(alone.probs, followed.probs)


@pytest.mark.parametrize(("samples", "first_ms"), [(2000, 0), (1200, 800)])
def test_a_token_stands_for_the_middle_of_its_audio(manifest, samples: int, first_ms: int) -> None:
    ring = SampleRing(manifest.audio.rate_hz, manifest.audio.samples)
    ring.extend(Block(np.zeros(samples, np.float32), 2000 * MS))
    window = Window(ring.until(2000 * MS), EMPTY, None, 0, 0, "ok", "ok", None, 0.0)
    found = token_times(manifest, window, ring, 2000 * MS)
    middles = [first_ms + 250 + 500 * token for token in range(4)]
    assert found.tolist() == [min(middle * MS, 2000 * MS - 1) for middle in middles]


@pytest.mark.parametrize(
    ("owners", "verdict"),
    [
        ([1, 1, 2, 0], 1),
        ([0, 0, 0, 1], NOBODY),
        ([2, 0, 2, 0], 2),
        ([-1, -1, -1, 1], UNCLEAR),
        ([], NOBODY),
    ],
)
def test_the_newest_second_is_of_whom_most_of_it_is(owners: list[int], verdict: int) -> None:
    assert most_common(np.array(owners, np.int64)) == verdict
