"""Windows by the time of their data, and what becomes of them where sound or picture is late or lost."""

import math

import numpy as np
import pytest

from edge.geometry import Box
from edge.live.recognizer import Recognizer
from edge.live.stream import NOT_FRAMED, Stream
from edge.preprocess.framing import FramingResult
from edge.preprocess.media import Block, Discontinuity, Frame
from tests.edge.made_stream import FAINTEST, HOP_MS, MS, Framer, Watched


@pytest.fixture
def watched(manifest, numpy_backend) -> Watched:
    return Watched(manifest, Recognizer(manifest, numpy_backend))


@pytest.mark.parametrize(
    ("end_ms", "samples", "frames"), [(500, 500, 3), (1000, 1000, 5), (2000, 2000, 10), (3000, 2000, 10)]
)
def test_a_window_is_cut_by_the_time_of_its_data(watched: Watched, end_ms: int, samples: int, frames: int) -> None:
    watched.hear(0, 3200)
    watched.see(0, 3200)
    window = watched.stream.cut(end_ms * MS)
    assert (len(window.samples), len(window.embeddings)) == (samples, frames)
    assert window.end_ns == end_ms * MS
    assert window.start_ns == max(0, end_ms - 2000) * MS
    expected = [FAINTEST + at // 200 for at in range(0, 3200, 200) if end_ms - 2000 <= at < end_ms]
    assert window.embeddings[:, 0].tolist() == expected


def test_its_sound_is_that_of_its_time(watched: Watched) -> None:
    for at in range(0, 2000, 20):
        watched.hear(at, at + 20, level=at)
    window = watched.stream.cut(1000 * MS)
    np.testing.assert_allclose(np.abs(window.samples), np.repeat(np.arange(0, 1000, 20), 20), atol=5)


@pytest.mark.parametrize(("heard_ms", "now_ms", "due"), [(480, 480, False), (480, 599, False), (480, 600, True)])
def test_a_window_waits_a_tenth_of_a_second_for_late_sound(
    watched: Watched, heard_ms: int, now_ms: int, due: bool
) -> None:
    watched.hear(0, heard_ms)
    assert watched.stream.is_due(now_ms * MS) is due


def test_a_window_is_due_as_soon_as_its_sound_is_there(watched: Watched) -> None:
    watched.hear(0, 500)
    assert watched.stream.is_due(500 * MS)


@pytest.mark.parametrize(("now_ms", "due"), [(499, False), (500, True)])
def test_without_sound_nothing_is_waited_for(watched: Watched, now_ms: int, due: bool) -> None:
    watched.see(0, 500)
    assert watched.stream.is_due(now_ms * MS) is due


def test_late_sound_leaves_a_window_that_says_how_far_it_reaches(watched: Watched) -> None:
    watched.hear(0, 400)
    window = watched.stream.cut(500 * MS)
    assert (len(window.samples), window.audio, window.start_ns, window.end_ns) == (400, "ok", 0, 400 * MS)


@pytest.mark.parametrize(("now_ms", "state"), [(1000, "ok"), (1500, "ok"), (1501, "lost"), (9000, "lost")])
def test_sound_is_lost_after_half_a_second(watched: Watched, now_ms: int, state: str) -> None:
    watched.hear(0, 1000)
    assert watched.states(now_ms)[0] == state


@pytest.mark.parametrize(("now_ms", "state"), [(1000, "ok"), (1800, "ok"), (1801, "lost"), (9000, "lost")])
def test_the_picture_is_lost_after_a_second(watched: Watched, now_ms: int, state: str) -> None:
    watched.see(0, 1000)
    assert watched.states(now_ms)[1] == state


def test_lost_sound_is_forgotten_and_the_picture_goes_on(watched: Watched) -> None:
    watched.hear(0, 1000)
    watched.see(0, 2000)
    window = watched.stream.cut(2000 * MS)
    assert (window.audio, len(window.samples), window.video, len(window.embeddings)) == ("lost", 0, "ok", 10)
    watched.hear(2000, 2100)
    assert len(watched.stream.cut(2100 * MS).samples) == 100


def test_a_lost_picture_is_forgotten_and_the_sound_goes_on(watched: Watched) -> None:
    watched.hear(0, 3000)
    watched.see(0, 1000)
    window = watched.stream.cut(3000 * MS)
    assert (window.video, len(window.embeddings), window.audio, len(window.samples)) == ("lost", 0, "ok", 2000)
    watched.hear(3000, 3200)
    watched.see(3000, 3200)
    assert len(watched.stream.cut(3200 * MS).embeddings) == 1


def test_a_lost_picture_shows_no_face(watched: Watched) -> None:
    watched.hear(0, 3000)
    watched.see(0, 1000)
    assert watched.stream.cut(3000 * MS).framing is None


def test_with_everything_lost_there_is_no_window(watched: Watched) -> None:
    watched.hear(0, 1000)
    watched.see(0, 1000)
    assert watched.stream.cut(5000 * MS) is None


def test_at_the_very_beginning_there_is_no_window(watched: Watched) -> None:
    assert watched.stream.cut(500 * MS) is None


def test_a_muted_microphone_is_silent_and_not_heard(watched: Watched) -> None:
    watched.hear(0, 1000, level=0)
    watched.see(0, 1000)
    window = watched.stream.cut(1000 * MS)
    assert (window.audio, len(window.samples), len(window.embeddings)) == ("silent", 0, 5)


@pytest.mark.parametrize(("end_ms", "state"), [(1500, "ok"), (1980, "ok"), (2000, "silent")])
def test_muting_is_noticed_after_a_second(watched: Watched, end_ms: int, state: str) -> None:
    watched.hear(0, 1000)
    watched.hear(1000, end_ms, level=0)
    assert watched.states(end_ms)[0] == state


def test_what_was_said_before_muting_stays_as_long_as_a_window_holds_it(watched: Watched) -> None:
    watched.hear(0, 1000)
    watched.hear(1000, 3000, level=0)
    assert [len(watched.stream.cut(end_ms * MS).samples) for end_ms in (2000, 2980)] == [2000, 2000]
    assert watched.stream.cut(3000 * MS) is None


def test_clipping_is_told_and_heard(watched: Watched) -> None:
    watched.hear(0, 1000)
    watched.hear(1000, 1500, level=1.0)
    assert watched.states(1000)[0] == "ok"
    assert watched.states(1500)[0] == "clipping"
    assert len(watched.stream.cut(1500 * MS).samples) == 1500


def test_a_covered_lens_is_dark_at_once(watched: Watched) -> None:
    watched.see(0, 1000)
    watched.framer.wants_video = False
    watched.see(1000, 1200, light=-5)
    assert watched.states(1200)[1] == "dark"
    window = watched.stream.cut(1200 * MS)
    assert (window.video, len(window.embeddings), window.framing) == ("dark", 5, NOT_FRAMED)
    watched.framer.wants_video = True
    watched.see(1200, 1400)
    assert watched.states(1400)[1] == "ok"


def test_a_face_in_the_dark_is_a_face(watched: Watched) -> None:
    watched.see(0, 1000, light=0)
    window = watched.stream.cut(1000 * MS)
    assert (window.video, window.framing.box) == ("ok", Box(1, 2, 3, 4))
    assert window.embeddings[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_a_whole_picture_of_the_dark_is_left_out(watched: Watched) -> None:
    watched.framer.looks_for_faces = False
    watched.see(0, 400)
    watched.see(400, 1000, light=0)
    window = watched.stream.cut(1000 * MS)
    assert (window.video, window.framing) == ("dark", NOT_FRAMED)
    assert window.embeddings[:, 0].tolist() == [FAINTEST, FAINTEST + 1]


def test_a_camera_that_returns_between_two_windows_brings_nothing_from_before(watched: Watched) -> None:
    watched.see(0, 400)
    watched.see(1400, 1600)
    window = watched.stream.cut(1600 * MS)
    assert (window.embeddings[:, 0].tolist(), window.start_ns) == ([FAINTEST + 7], 1400 * MS)


def test_a_gap_of_this_machines_making_is_not_the_cameras(watched: Watched) -> None:
    watched.see(0, 400)
    watched.stream.add(Frame(np.full((8, 8, 3), FAINTEST, np.uint8), 1800 * MS))
    assert watched.states(1700)[1] == "lost"
    watched.stream.note_overload(1700 * MS)
    assert watched.states(1700)[1] == "ok"
    watched.see(2000, 2200)
    assert len(watched.stream.cut(2000 * MS).embeddings) == 3


def frame(time_ms: int) -> Frame:
    return Frame(np.full((8, 8, 3), FAINTEST, np.uint8), time_ms * MS)


def test_frames_wait_for_others_but_the_first_and_the_last_before_a_window_ends(watched: Watched) -> None:
    """Windows end every 500 ms, frames come every 200 ms."""
    stream, cropped_ms = watched.stream, []
    for time_ms in range(0, 2000, 200):
        if stream.next_window(time_ms * MS):
            stream.crop_frames(time_ms * MS)
        stream.add(frame(time_ms))
        if stream.wants_frames(time_ms * MS):
            stream.crop_frames()
            cropped_ms.append(time_ms)
    assert cropped_ms == [0, 400, 800, 1400, 1800]


def test_no_frame_waits_long(watched: Watched) -> None:
    watched.see(0, 200)
    watched.stream.set_hop(10_000 * MS, 0)
    watched.stream.add(frame(200))
    assert [watched.stream.wants_frames(now_ms * MS) for now_ms in (200, 599, 600)] == [False, False, True]


def test_frames_of_a_slow_camera_wait_for_none(watched: Watched) -> None:
    watched.stream.set_hop(10_000 * MS, 0)
    for time_ms in (0, 400, 800, 1800):
        watched.stream.add(frame(time_ms))
        assert watched.stream.wants_frames(time_ms * MS)
        watched.stream.crop_frames()
        assert watched.stream.due == (10_000 * MS, (time_ms + 400) * MS)


def test_the_first_frame_after_a_break_waits_for_none(watched: Watched) -> None:
    watched.see(0, 1000)
    watched.stream.add(Discontinuity(1000 * MS))
    assert watched.stream.due.video_ns == -math.inf
    watched.stream.add(frame(1000))
    assert watched.stream.wants_frames(1000 * MS)


def test_dropping_all_there_is_does_not_make_a_lost_camera(watched: Watched) -> None:
    watched.see(0, 400)
    watched.stream.note_overload(900 * MS)
    watched.see(1600, 1800)
    assert watched.stream.cut(1800 * MS).embeddings[:, 0].tolist() == [FAINTEST, FAINTEST + 1, FAINTEST + 8]


@pytest.mark.parametrize(("lag_ms", "state"), [(0, "lost"), (700, "ok")])
def test_sound_that_was_moved_back_is_waited_for_and_not_lost(manifest, lag_ms: int, state: str) -> None:
    stream = Stream(
        manifest, Framer(), audio=True, video=True, begin_ns=0, hop_ns=HOP_MS * MS, audio_lag_ns=lag_ms * MS
    )
    for at in range(20, 1001, 20):
        stream.add(Block(np.tile(np.float32([0.5, -0.5]), 10), at * MS))
    assert stream.audio_state(1700 * MS) == state
    assert [stream.next_window(1100 * MS).end_ns for _ in range(2)] == [500 * MS, 1000 * MS]
    assert stream.is_due(1650 * MS) is (lag_ms == 0)


def test_sound_that_was_moved_on_makes_no_window_of_the_future(watched: Watched) -> None:
    watched.hear(0, 900)
    assert [watched.stream.is_due(now_ms * MS) for now_ms in (400, 499, 500)] == [False, False, True]


def test_a_microphone_that_returns_between_two_windows_brings_nothing_from_before(watched: Watched) -> None:
    watched.hear(0, 500)
    watched.hear(1100, 1200)
    window = watched.stream.cut(1200 * MS)
    assert (len(window.samples), window.start_ns) == (100, 1100 * MS)


def test_a_face_out_of_sight_is_not_a_lost_camera(watched: Watched) -> None:
    watched.framer.wants_video = False
    watched.hear(0, 1000)
    watched.see(0, 1000)
    window = watched.stream.cut(1000 * MS)
    assert (window.video, len(window.embeddings), window.framing) == ("no_face", 0, FramingResult(None, 0, None))
    assert len(window.samples) == 1000


def test_a_face_that_leaves_stays_as_long_as_a_window_holds_it(watched: Watched) -> None:
    watched.see(0, 1000)
    watched.framer.wants_video = False
    watched.see(1000, 3000)
    assert [watched.states(end_ms)[1] for end_ms in (2000, 2800, 2801)] == ["ok", "ok", "no_face"]
    assert len(watched.stream.cut(2000 * MS).embeddings) == 5


@pytest.mark.parametrize(("again_ms", "start_ms"), [(800, 0), (1100, 0), (1120, 1120)])
def test_a_short_gap_in_the_sound_is_a_pause_and_a_long_one_begins_it_anew(
    watched: Watched, again_ms: int, start_ms: int
) -> None:
    watched.hear(0, 600)
    watched.hear(again_ms, 1300)
    window = watched.stream.cut(1300 * MS)
    assert (len(window.samples), window.start_ns, window.end_ns) == (1300 - start_ms, start_ms * MS, 1300 * MS)
    assert np.abs(window.samples[-100:]).min() > 0.4


@pytest.mark.parametrize("drift", [0.0, 0.2])
def test_an_offset_is_neither_heard_nor_hides_what_clips(manifest, numpy_backend, drift: float) -> None:
    plain, offset = (Watched(manifest, Recognizer(manifest, numpy_backend)) for _ in range(2))
    for at in range(0, 2000, 20):
        voice = 0.3 * np.sin(2 * np.pi * 100 * np.arange(at, at + 20) / 1000 + 0.5)
        added = 0.4 + drift * np.sin(2 * np.pi * np.arange(at, at + 20) / 8000)
        plain.stream.add(Block(np.float32(voice), (at + 20) * MS))
        offset.stream.add(Block(np.float32(voice + added), (at + 20) * MS))
    windows = [watched.stream.cut(2000 * MS) for watched in (plain, offset)]
    np.testing.assert_allclose(windows[1].samples[200:-200], windows[0].samples[200:-200], atol=0.005)
    assert windows[0].audio == windows[1].audio == "ok"
    offset.stream.add(Block(np.full(20, 1.0, np.float32), 2020 * MS))
    assert offset.states(2020)[0] == "clipping"


def test_a_dead_converter_that_gives_one_value_is_silent(watched: Watched) -> None:
    watched.stream.add(Block(np.full(1000, 0.25, np.float32), 1000 * MS))
    assert watched.states(1000)[0] == "silent"
    assert watched.stream.cut(1000 * MS) is None


@pytest.mark.parametrize(("audio", "video", "states"), [(False, True, ("off", "ok")), (True, False, ("ok", "off"))])
def test_what_was_not_asked_for_is_off(manifest, numpy_backend, audio: bool, video: bool, states) -> None:
    watched = Watched(manifest, Recognizer(manifest, numpy_backend), audio=audio, video=video)
    if audio:
        watched.hear(0, 1000)
    if video:
        watched.see(0, 1000)
    window = watched.stream.cut(1000 * MS)
    assert (window.audio, window.video) == states == watched.states(1000)
    assert (len(window.samples), len(window.embeddings)) == (1000 * audio, 5 * video)


def test_frames_are_looked_at_as_far_as_is_asked(watched: Watched) -> None:
    for at in (0, 200, 400):
        watched.stream.add(Frame(np.full((8, 8, 3), FAINTEST, np.uint8), at * MS))
    watched.stream.crop_frames(400 * MS)
    assert (len(watched.stream.crops), watched.stream.has_frames(400 * MS), watched.stream.has_frames()) == (
        2,
        False,
        True,
    )
    watched.stream.crop_frames()
    assert (len(watched.stream.crops), watched.stream.has_frames()) == (3, False)


def test_each_frame_is_encoded_once_and_as_one_batch(watched: Watched, numpy_backend) -> None:
    watched.see(0, 1000)
    assert watched.stream.crops == []
    watched.see(1000, 1400)
    assert sum(len(inputs["frames"]) for _, inputs in numpy_backend.calls) == 7
