"""A stream that begins anew, or whose frames are of no use: what of it is evidence, and what is said."""

import numpy as np
import pytest

from edge.live.recognizer import Recognizer
from edge.preprocess.framing import FramingResult
from edge.preprocess.media import Discontinuity, Frame
from tests.edge.made_stream import FAINTEST, MS, Watched


@pytest.fixture
def watched(manifest, numpy_backend) -> Watched:
    return Watched(manifest, Recognizer(manifest, numpy_backend))


def test_no_window_joins_what_lies_before_a_discontinuity_with_what_comes_after(watched: Watched) -> None:
    watched.hear(0, 1000)
    watched.see(0, 1000)
    watched.stream.add(Discontinuity(5000 * MS))
    assert watched.stream.cut(5000 * MS) is None
    assert watched.states(5100) == ("lost", "lost")
    assert watched.stream.is_awaited(5100 * MS)
    watched.hear(5000, 5200, level=0.25)
    watched.see(5000, 5200)
    window = watched.stream.cut(5200 * MS)
    np.testing.assert_allclose(np.abs(window.samples), 0.25, atol=1e-3)
    assert (len(window.samples), len(window.embeddings), window.start_ns) == (200, 1, 5000 * MS)


def test_what_comes_late_from_before_a_discontinuity_is_left_out(watched: Watched) -> None:
    watched.stream.add(Discontinuity(5000 * MS))
    watched.hear(3000, 4000)
    watched.see(3000, 4000)
    assert watched.stream.cut(5400 * MS) is None


def test_a_discontinuity_skips_the_windows_of_the_gap_and_keeps_the_grid(watched: Watched) -> None:
    watched.stream.add(Discontinuity(5100 * MS))
    assert watched.stream.due.audio_ns == 5500 * MS


def test_a_device_that_says_nothing_after_a_discontinuity_is_lost_in_its_own_time(watched: Watched) -> None:
    watched.hear(0, 1000)
    watched.see(0, 1000)
    watched.stream.add(Discontinuity(5000 * MS))
    assert [watched.stream.is_awaited(at * MS) for at in (5500, 6000, 6001)] == [True, True, False]
    watched.hear(5000, 6000)
    assert watched.states(6001) == ("ok", "lost")


def test_no_face_is_not_said_before_a_frame_was_seen(watched: Watched) -> None:
    assert watched.states(0) == ("lost", "lost")
    assert watched.stream.is_awaited(0)
    watched.framer.wants_video = False
    watched.see(0, 200, light=0)
    assert watched.states(200) == ("lost", "dark")
    watched.hear(200, 300)
    assert watched.states(300) == ("ok", "dark")
    assert not watched.stream.is_awaited(300 * MS)


def test_an_embedding_that_is_not_finite_is_left_out_and_no_other_is(watched: Watched) -> None:
    for at in (0, 200, 400):
        watched.stream.add(Frame(np.full((8, 8, 3), FAINTEST + at // 200, np.uint8), at * MS))
    watched.stream.crop_frames()
    embeddings = watched.recognizer.embed(watched.stream.crops)
    embeddings[1, 0] = np.nan
    watched.stream.add_embeddings(embeddings)
    assert watched.drops == ["frames_not_finite"]
    assert watched.stream.cut(600 * MS).embeddings.tolist() == embeddings[[0, 2]].tolist()
    assert watched.states(600)[1] == "ok"


def test_a_camera_whose_frames_cannot_be_used_is_lost_not_faceless(watched: Watched) -> None:
    watched.stream.add(Frame(np.full((8, 8, 3), FAINTEST, np.uint8), 0))
    watched.stream.crop_frames()
    watched.stream.add_embeddings(np.full((1, 3), np.inf, np.float32))
    assert watched.drops == ["frames_not_finite"]
    assert watched.states(200)[1] == "lost"


@pytest.mark.parametrize("crop", [np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8, 3), np.float32), 1 / 3, None])
def test_a_frame_that_cannot_be_framed_is_told_and_the_next_is_looked_at(watched: Watched, monkeypatch, crop) -> None:
    watched.see(0, 200)
    monkeypatch.setattr(
        watched.stream, "_framing", lambda image: FramingResult(crop, None, None) if crop is not None else 1
    )
    watched.stream.add(Frame(np.full((8, 8, 3), FAINTEST, np.uint8), 200 * MS))
    watched.stream.crop_frames()
    assert watched.drops == ["frames_failed"]
    assert watched.states(5000)[1] == "lost"
    monkeypatch.undo()
    watched.see(400, 600)
    window = watched.stream.cut(600 * MS)
    assert (window.video, len(window.embeddings)) == ("ok", 2)
