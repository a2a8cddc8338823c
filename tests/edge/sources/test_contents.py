"""What a file's header tells."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import SourceError
from edge.sources.contents import examine

IMAGE = np.full((24, 32, 3), 90, np.uint8)


@pytest.mark.parametrize(("audio", "video"), [(True, True), (True, False), (False, True)])
def test_tracks_duration_and_rate(
    tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray], audio: bool, video: bool
) -> None:
    path = make_clip(tmp_path / "a.mkv", np.stack([IMAGE] * 20) if video else None, tone(2.0) if audio else None)
    found = examine(path)
    assert (found.audio, found.video, found.is_still) == (audio, video, False)
    assert found.duration_s == pytest.approx(2.0, abs=0.15)
    assert found.frame_rate_hz == (Fraction(10) if video else None)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.webp", "a.tiff"])
def test_a_still_image_is_one(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / name), IMAGE)
    assert examine(tmp_path / name).is_still


def test_an_animation_is_no_still(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    assert not examine(make_clip(tmp_path / "a.mkv", np.stack([IMAGE] * 2))).is_still


def test_a_file_with_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n")
    with pytest.raises(SourceError, match="has no audio and has no video; give a recording or a still image"):
        examine(tmp_path / "a.srt")
