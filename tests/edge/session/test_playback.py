"""When recordings begin to play: while the model was loaded, but not long before it was."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.preprocess.media import Block, Discontinuity, Frame
from edge.session import playback as module
from edge.session.config import StreamConfig
from edge.session.inputs import make_inputs
from edge.session.playback import MOST_AHEAD_ALONE_NS, MOST_AHEAD_NS, Playback
from edge.sources.demo import MOODS, face

HOP_NS = 500_000_000
LONG_NS = 60_000_000_000


@pytest.fixture
def make_playback(manifest, tmp_path, make_clip, tone, clock) -> Iterator[Callable[..., Playback]]:
    """The playback of a clip of 0.2 s, or of several."""
    clip: Path = make_clip(tmp_path / "clip.mkv", np.stack([face(MOODS[0])] * 2), tone(0.2))
    playbacks: list[Playback] = []

    def make(streams: int = 1) -> Playback:
        inputs = make_inputs([StreamConfig(name=f"s{number}", file=str(clip)) for number in range(streams)], manifest)
        playbacks.append(Playback(inputs, clock, threading.Event()))
        return playbacks[-1]

    yield make
    for playback in playbacks:
        playback.close()


@pytest.fixture
def opened(make_playback) -> Callable[..., Playback]:
    """The same, once they are decoded."""

    def make(streams: int = 1) -> Playback:
        playback = make_playback(streams)
        ends_s = time.monotonic() + 60
        while len(playback.decoded_ns) < streams:
            assert time.monotonic() < ends_s, "a clip was not decoded"
            time.sleep(0.001)
        return playback

    return make


@pytest.mark.parametrize(
    ("streams", "loading_ns", "hop_ns", "has_devices", "ahead_ns"),
    [
        (1, 200_000_000, HOP_NS, False, 200_000_000),
        (1, LONG_NS, HOP_NS, False, MOST_AHEAD_ALONE_NS),
        (1, LONG_NS, 100_000_000, False, 80_000_000),
        (2, 200_000_000, HOP_NS, False, 200_000_000),
        (2, LONG_NS, HOP_NS, False, MOST_AHEAD_NS),
        (2, LONG_NS, 100_000_000, False, 50_000_000),
        (1, LONG_NS, HOP_NS, True, 0),
    ],
)
def test_a_run_begins_before_its_model_is_loaded(
    opened, clock, streams: int, loading_ns: int, hop_ns: int, has_devices: bool, ahead_ns: int
) -> None:
    playback = opened(streams)
    clock.time_ns += loading_ns
    assert playback.begin(hop_ns, has_devices=has_devices) == clock.now_ns() - ahead_ns


def test_a_recording_that_plays_alone_is_waited_for(make_playback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_FIRST_S", 60.0)
    playback = make_playback()
    playback.await_first()
    assert list(playback.decoded_ns) == [0]


def test_nothing_begins_before_it_is_decoded(opened, clock) -> None:
    """Else it would begin later than its windows, which would end elsewhere in it than with `--fast`."""
    playback = opened()
    playback.decoded_ns[0] = 150_000_000
    clock.time_ns += 200_000_000
    assert playback.begin(HOP_NS, has_devices=False) == 150_000_000


def test_a_recording_plays_whole_from_the_begin_on(opened, manifest) -> None:
    playback = opened()
    begin_ns = playback.begin(HOP_NS, has_devices=False)
    for capture in playback.captures:
        capture.finish()
    media = [delivery.media for delivery in playback.inbox.take(0) if delivery.media is not None]
    start_ns = next((item.end_ns for item in media if isinstance(item, Discontinuity)), begin_ns)
    assert start_ns >= begin_ns
    assert sum(len(item.samples) for item in media if isinstance(item, Block)) == manifest.audio.rate_hz // 5
    assert [item.end_ns - start_ns for item in media if isinstance(item, Frame)][:1] == [0]


def test_the_fifth_recording_begins_half_a_hop_later(opened) -> None:
    playback = opened(5)
    begin_ns = playback.begin(HOP_NS, has_devices=False)
    for capture in playback.captures:
        capture.finish()
    fifth = [delivery.media for delivery in playback.inbox.take(0) if delivery.stream == 4 and delivery.media]
    assert min(item.end_ns for item in fifth) >= begin_ns + HOP_NS // 2


def test_what_never_begins_plays_nothing_and_ends(opened) -> None:
    playback = opened()
    playback.close()
    assert not any(capture._thread.is_alive() for capture in playback.captures)
    assert playback.inbox.take(0) == []
