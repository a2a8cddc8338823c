"""Film of four people: the frames of one person, small, at four times, two of them mirrored."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from benchmarks.people.film import APART_S, write_four
from edge.bench import recording
from edge.errors import UsageError

CODED = 12
"""Largest mean difference in greys between frames that were encoded twice."""


def frames(path: Path) -> tuple[list[np.ndarray], float]:
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video)], float(video.average_rate)


def test_each_quarter_shows_the_person_at_a_time_of_its_own(tmp_path: Path) -> None:
    one, four = tmp_path / "one.mp4", tmp_path / "four.mp4"
    recording.write(one, 8)
    write_four(one, four, 1.0)
    (before, rate), (after, _) = frames(one), frames(four)
    assert len(after) == round(rate)
    height, width = after[0].shape[0] // 2, after[0].shape[1] // 2
    for number, across, down in ((0, 0, 0), (1, 1, 0), (2, 0, 1), (3, 1, 1)):
        small = cv2.resize(before[10 + number * round(APART_S * rate)], (width, height), interpolation=cv2.INTER_AREA)
        expected = small[:, ::-1] if number % 2 else small
        found = after[10][down * height : (down + 1) * height, across * width : (across + 1) * width]
        assert np.abs(found.astype(int) - expected).mean() < CODED
    with av.open(str(four)) as film:
        assert sum(frame.samples for frame in film.decode(audio=0)) == pytest.approx(
            film.streams.audio[0].rate, rel=0.1
        )


def test_a_film_that_is_too_short_is_refused(tmp_path: Path) -> None:
    recording.write(tmp_path / "one.mp4", 3)
    with pytest.raises(UsageError, match=r"frames, and \d+ s are needed"):
        write_four(tmp_path / "one.mp4", tmp_path / "four.mp4", 1.0)
