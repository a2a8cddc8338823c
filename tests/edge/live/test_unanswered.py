"""A server that gives no result in time: what was asked for is dropped and counted, and the streams go on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from edge.errors import UnansweredError
from edge.live.inbox import Delivery
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Discontinuity, Media
from edge.wire.drop_reasons import (
    FRAMES_UNANSWERED,
    WINDOWS_EMPTY,
    WINDOWS_LATE,
    WINDOWS_STALE,
    WINDOWS_UNANSWERED,
)
from edge.wire.messages import Prediction, Status
from tests.edge.made_run import MS, MadeRun, recorded


class Served:
    """The backend reckoned by hand, of which graphs may be silent; it changes its name while they are."""

    about = "this test"

    def __init__(self, backend: Any) -> None:
        self._backend, self.silent = backend, set[str]()

    @property
    def name(self) -> str:
        return "local" if self.silent else "served"

    def __getattr__(self, graph: str) -> Any:
        def run(inputs: Mapping[str, Any]) -> dict[str, Any]:
            if graph in self.silent:
                raise UnansweredError("no result", "start the server again")
            outputs: dict[str, Any] = getattr(self._backend, graph)(inputs)
            return outputs

        return run


@pytest.fixture
def served(numpy_backend) -> Served:
    return Served(numpy_backend)


def dropped(made: MadeRun) -> list[dict[str, int]]:
    reasons = (FRAMES_UNANSWERED, WINDOWS_UNANSWERED)
    return [{reason: reporter.drops.counts[reason] for reason in reasons} for reporter in made.reporters]


@pytest.mark.parametrize(
    ("silent", "frames"), [({"fusion"}, 0), ({"audio_encoder"}, 0), ({"image_encoder", "audio_encoder"}, 3)]
)
def test_a_live_run_drops_and_counts_what_is_not_answered_and_goes_on(
    manifest, served: Served, silent: set[str], frames: int
) -> None:
    made = MadeRun(Recognizer(manifest, served), names=("cam1", "cam2"))
    media = recorded(1000)
    first, second = ([item for item in media if (item.end_ns <= 500_000_000) is early] for early in (True, False))
    served.silent = silent
    made.step(500, first, first)
    assert dropped(made) == [{FRAMES_UNANSWERED: frames, WINDOWS_UNANSWERED: 1}] * 2
    assert made.of_kind(Prediction) == []
    served.silent = set()
    made.step(1000, second, second)
    predictions = made.of_kind(Prediction)
    assert [(message.stream, message.mono_end // 1_000_000, message.seq) for message in predictions] == [
        ("cam1", 1000, 0),
        ("cam2", 1000, 0),
    ]
    assert {message.dropped[WINDOWS_UNANSWERED] for message in predictions} == {1}
    assert {message.video.frames for message in predictions} == {5 - frames}
    assert {message.backend for message in predictions} == {"served"}
    made.failures.raise_any()


def test_frames_alone_that_are_not_answered_leave_the_audio(manifest, served: Served) -> None:
    made = MadeRun(Recognizer(manifest, served))
    served.silent = {"image_encoder"}
    made.step(500, recorded(500))
    assert dropped(made) == [{FRAMES_UNANSWERED: 3, WINDOWS_UNANSWERED: 0}]
    (prediction,) = made.of_kind(Prediction)
    assert (prediction.video.frames, prediction.audio.state, prediction.backend) == (0, "ok", "local")
    assert made.of_kind(Status)[-1].dropped[FRAMES_UNANSWERED] == 3


@pytest.mark.parametrize("graph", ["image_encoder", "fusion"])
def test_nothing_of_a_recording_is_dropped(manifest, served: Served, graph: str) -> None:
    made = MadeRun(Recognizer(manifest, served), latest_only=False)
    served.silent = {graph}
    with pytest.raises(UnansweredError):
        made.step(500, recorded(500))


def test_a_restart_of_the_server_in_which_this_machine_stands_still_accounts_for_every_window(
    manifest, served: Served
) -> None:
    """16 windows are due in 8 s, and each has one fate."""
    made, media = MadeRun(Recognizer(manifest, served)), recorded(8000)

    def until(now_ms: int, *before: Media) -> None:
        new = [item for item in media if item.end_ns <= now_ms * MS]
        del media[: len(new)]
        made.take(now_ms * MS, [Delivery(0, item) for item in (*before, *new)])

    for now_ms in (500, 1000):
        until(now_ms)
    served.silent = {"audio_encoder", "image_encoder"}
    for now_ms in (1500, 2000, 2500):
        until(now_ms)
    until(5700, Discontinuity(5700 * MS))  # nothing ran while the server started: 3.0 to 5.5 s
    served.silent = set()
    for now_ms in (6000, 7000, 8000):  # each pass takes two hops
        until(now_ms)
    counts = made.reporters[0].drops.counts
    assert len(made.of_kind(Prediction)) == 5
    windows = (WINDOWS_UNANSWERED, WINDOWS_STALE, WINDOWS_LATE, WINDOWS_EMPTY)
    assert [counts[reason] for reason in windows] == [3, 6, 2, 0]


@pytest.mark.parametrize("seed", range(20))
def test_every_window_that_is_due_is_published_or_counted(manifest, served: Served, seed: int) -> None:
    rng, media = np.random.default_rng(seed), recorded(20_000)
    made = MadeRun(Recognizer(manifest, served))
    now_ms = 0
    while now_ms < 20_000:
        now_ms += int(rng.choice([20, 300, 500, 1700, 4000], p=[0.3, 0.3, 0.3, 0.07, 0.03]))
        served.silent = {str(rng.choice(["nothing", "fusion", "image_encoder", "audio_encoder"]))}
        pauses = [Discontinuity(now_ms * MS - int(rng.integers(900)) * MS)] if rng.random() < 0.1 else []
        arrived = [item for item in media if item.end_ns <= now_ms * MS]
        media = [item for item in media if item.end_ns > now_ms * MS]
        lost = rng.random() < 0.2
        made.take(now_ms * MS, [Delivery(0, item) for item in (*(() if lost else arrived), *pauses)])
    due = made.streams[0].due.audio_ns / (500 * MS) - 1
    counted = [number for reason, number in made.reporters[0].drops.counts.items() if reason.startswith("windows_")]
    assert len(made.of_kind(Prediction)) + sum(counted) == due > 30
