"""Streams driven from media to windows: one stream is driven as many are, and both as the loop drives them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from edge.live.driver import cut_window, encode_frames, read_windows
from edge.live.recognizer import Recognizer
from edge.live.stream import Stream
from edge.preprocess.framing import WholeFraming
from edge.wire.messages import Prediction
from tests.edge.made_run import MS, MadeRun, recorded


@pytest.fixture
def recognizer(manifest, numpy_backend) -> Recognizer:
    return Recognizer(manifest, numpy_backend)


def make_stream(recognizer: Recognizer) -> Stream:
    framing = WholeFraming(8, 8)
    return Stream(recognizer.manifest, framing, audio=True, video=True, begin_ns=0, hop_ns=500 * MS)


def test_a_stream_gives_the_windows_that_the_loop_predicts(recognizer) -> None:
    made = MadeRun(recognizer, latest_only=False)
    made.play(recorded(3000))
    predictions = made.of_kind(Prediction)
    windows = [found.window for found in read_windows(make_stream(recognizer), recorded(3000), recognizer)]
    assert [(window.start_ns, window.end_ns) for window in windows] == [
        (message.mono_start, message.mono_end) for message in predictions
    ]
    assert [len(window.embeddings) for window in windows] == [message.video.frames for message in predictions]


def test_the_crops_of_a_window_are_those_of_its_new_frames(recognizer) -> None:
    found = list(read_windows(make_stream(recognizer), recorded(2000), recognizer))
    assert [len(cut.crops) for cut in found] == [3, 2, 3, 2]


def test_a_window_may_be_cut_anywhere_and_holds_nothing_from_after_it(recognizer) -> None:
    stream = make_stream(recognizer)
    for item in recorded(1000):
        stream.add(item)
    window, crops = cut_window(stream, 700 * MS, recognizer)
    assert (len(window.samples), len(window.embeddings), len(crops)) == (700, 4, 4)
    assert stream.has_frames()


def test_a_window_of_nothing_is_none(recognizer) -> None:
    assert cut_window(make_stream(recognizer), 500 * MS, recognizer) == (None, [])


def test_the_frames_of_several_streams_are_one_batch_each_up_to_its_own_time(recognizer, numpy_backend) -> None:
    streams = [make_stream(recognizer) for _ in range(3)]
    for stream in streams[:2]:
        for item in recorded(1000):
            stream.add(item)
    with ThreadPoolExecutor(2) as threads:
        crops = encode_frames(list(zip(streams, (400 * MS, 1000 * MS, 1000 * MS), strict=True)), recognizer, threads)
    assert [(name, len(inputs["frames"])) for name, inputs in numpy_backend.calls] == [("image_encoder", 7)]
    assert len(crops) == 7
    assert [len(stream.cut(1000 * MS).embeddings) for stream in streams[:2]] == [2, 5]
    np.testing.assert_array_equal([stream.has_frames() for stream in streams], [True, False, False])
