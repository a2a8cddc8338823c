"""Windows of the folds that training had: paired by label or cut from clips, whole, without picture, without sound."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from edge.errors import UsageError
from export import windows as module
from export.windows import Window, Windows, evenly_spaced
from tests.train import made_clips, made_talkers
from tests.train.clips.conftest import RATE_HZ, SIDE, WINDOW_S, architectures, dwarf, release
from tests.train.made import PITCHES_HZ
from tests.train.made_talkers import SIDES, for_people
from train import config
from train.checkpoint import Checkpoint
from train.config import Config, voices_and_faces

__all__ = ["architectures", "dwarf", "release"]
SPEAKERS = {"validation": ("18", "15", "TP0"), "train": ("02", "03", "SM0")}
FACES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def pitch_hz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * 16_000 / len(samples))


@pytest.mark.parametrize("fold", ["train", "validation"])
def test_pairs_are_heard_and_seen_of_one_label(
    loaded: Checkpoint, data: Path, fold: module.Fold, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    read = module.read_audio

    def listen(path: Path, rate_hz: int) -> np.ndarray:
        heard.append(path.parent.name + path.name)
        return read(path, rate_hz)

    monkeypatch.setattr(module, "read_audio", listen)
    found = list(Windows(loaded.config, data, fold, 100))
    assert len(found) == len(Windows(loaded.config, data, fold, 100)) >= 12
    assert all(any(speaker in name for speaker in SPEAKERS[fold]) for name in heard)
    assert {window.label for window in found} == {0, 1, 2, 3}
    for window in found:
        label = loaded.config.labels[window.label]
        for crop in window.crops:
            assert (crop.shape, crop.dtype) == ((64, 64, 3), np.uint8)
            assert abs(crop.mean() - (20 * FACES.index(label) + 40)) < 10
        if len(window.samples):
            assert window.samples.dtype == np.float32
            assert len(window.samples) <= loaded.config.audio.samples
            assert PITCHES_HZ[label] * 0.95 < pitch_hz(window.samples) < PITCHES_HZ[label] * 1.25


def test_every_third_lacks_its_picture_and_every_third_its_sound(loaded: Checkpoint, data: Path) -> None:
    found = [(len(window.samples) > 0, len(window.crops)) for window in Windows(loaded.config, data, "validation", 9)]
    assert found == [(True, 1), (True, 0), (False, 1)] * 3


def test_they_are_the_same_each_time(loaded: Checkpoint, data: Path) -> None:
    first, second = (list(Windows(loaded.config, data, "validation", 5)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        assert one.label == other.label


def test_of_a_longer_voice_the_last_window_is_taken(
    loaded: Checkpoint, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "read_audio", lambda *_: np.arange(99_999, dtype=np.float32))
    first = next(iter(Windows(loaded.config, data, "validation", 1)))
    np.testing.assert_array_equal(first.samples, np.arange(99_999 - loaded.config.audio.samples, 99_999))


def test_only_voices_of_the_labels_are_in_windows_to_fit_to(loaded: Checkpoint, data: Path) -> None:
    """The audio encoder is trained on other classes, too."""
    assert {window.label for window in Windows(loaded.config, data, "train", 100)} == {0, 1, 2, 3}


def test_voices_and_faces_have_no_fold_to_leave_out(loaded: Checkpoint, data: Path) -> None:
    assert voices_and_faces(loaded.config)
    with pytest.raises(UsageError, match="--fold Session1: foal-tiny is trained on voices and faces"):
        Windows(loaded.config, data, "validation", 1, "Session1")


@pytest.mark.usefixtures("architectures")
@pytest.mark.parametrize(("left_out", "chooser"), [(None, 4), ("Session2", 1), ("Session1", 5)])
def test_clips_are_of_the_fold_that_chose_the_epoch(
    dwarf: Config, release: Path, left_out: str | None, chooser: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []
    take = module.decode_audio
    monkeypatch.setattr(module, "decode_audio", lambda found, *rest: cut.append(found.fold) or take(found, *rest))
    found = list(Windows(dwarf, release, "validation", 100, left_out))
    assert len(found) == 10
    assert set(cut) == {f"Session{chooser}"}
    whole = [window for window in found if len(window.samples) and window.crops]
    for window in whole:
        assert 0 < len(window.samples) <= round(WINDOW_S * 16_000)
        assert 0 < len(window.crops) <= round(WINDOW_S * RATE_HZ)
        colour = made_clips.COLOURS[dwarf.labels[window.label]]
        for crop in window.crops:
            assert (crop.shape, crop.dtype) == ((SIDE, SIDE, 3), np.uint8)
            assert np.abs(crop[: SIDE // 3].mean(axis=(0, 1)) - colour).max() < 30
    assert len(whole) == 4


@pytest.mark.usefixtures("architectures")
def test_clips_to_fit_to_are_of_the_other_folds(dwarf: Config, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: set[str] = set()
    monkeypatch.setattr(module, "decode_audio", lambda found, *_: cut.add(found.fold) or np.ones(1, np.float32))
    list(Windows(dwarf, release, "train", 100, "Session2"))
    assert cut == {"Session3", "Session4", "Session5"}


def test_of_two_people_in_a_clip_the_windows_show_the_speaker(tmp_path: Path) -> None:
    two, rows = for_people(2), ["path,label,speaker,fold"]
    for fold, side in product((1, 2, 3), SIDES):
        name = f"{side}-{fold}.mp4"
        rows.append(f"{name},{two.labels[SIDES.index(side)]},{fold},{fold}")
        if fold == 2:
            made_talkers.one_who_talks(tmp_path / name, side)
    made_clips.write_text(tmp_path / "table.csv", "\n".join(rows) + "\n")
    clips = module.ClipWindows(two, config.clips(two), tmp_path, "validation", "3")
    assert len(clips) == 2
    for row in range(2):
        assert made_talkers.sides_of(clips[row].crops) == {SIDES[clips[row].label]}
        assert len(clips[row].crops) == round(made_talkers.SECONDS * two.video.rate_hz)


@pytest.mark.usefixtures("architectures")
def test_a_fold_that_is_not_there_is_refused(dwarf: Config, release: Path) -> None:
    with pytest.raises(UsageError, match="--fold Session9: the corpus has the folds Session1, Session2"):
        Windows(dwarf, release, "validation", 1, "Session9")


def test_what_would_leave_nothing_is_left() -> None:
    crop, audio = np.zeros((2, 2, 3), np.uint8), np.ones(3, np.float32)
    unheard, unseen = Window(audio[:0], [crop], 0), Window(audio, [], 0)
    assert [len(unheard.with_modality_dropped(index).crops) for index in range(3)] == [1, 1, 1]
    assert [len(unseen.with_modality_dropped(index).samples) for index in range(3)] == [3, 3, 3]


@pytest.mark.parametrize(
    ("length", "count", "rows"),
    [(5, 10, [0, 1, 2, 3, 4]), (9, 3, [0, 4, 8]), (9, 1, [0]), (1, 1, [0])],
)
def test_some_are_spread_over_all(length: int, count: int, rows: list[int]) -> None:
    assert evenly_spaced(length, count) == rows
