"""The recordings of a configuration, fold by fold."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from edge.errors import UsageError
from tests.train import made
from train.config import Config, load, voices_and_faces
from train.corpora import fer2013
from train.simulation.streams import Voice, recording
from train.voices_and_faces import dataset as module
from train.voices_and_faces import voices
from train.voices_and_faces.dataset import Dataset

FOLDS = {
    "train": {"ravdess-02", "emodb-03", "nemo-SM0"},
    "validation": {"ravdess-18", "emodb-15", "nemo-TP0"},
    "test": {"ravdess-14", "emodb-13", "nemo-WR0"},
}


@pytest.fixture(scope="module")
def dataset(corpora: Path, tiny: Config) -> Dataset:
    return Dataset(tiny, corpora)


@pytest.mark.parametrize("fold", FOLDS)
def test_a_fold_holds_its_speakers_and_every_label(dataset: Dataset, tiny: Config, fold: str) -> None:
    assert {voice.speaker for voice in dataset.voices[fold]} == FOLDS[fold]
    loaded, labels, speakers, _ = dataset.labelled_voices(fold)
    assert [dataset.classes[label] for label in labels] == [voice.label for voice in dataset.voices[fold]]
    assert speakers == [voice.speaker for voice in dataset.voices[fold]]
    assert torch.bincount(labels).tolist() == ([3, 3, 3, 3, 1, 1, 1] if fold == "train" else [3, 3, 3, 3])
    again = voices.load(dataset.voices[fold], 16_000)
    assert [len(voice.audio) for voice in loaded] == [len(voice.audio) for voice in again]


def test_the_labels_are_the_first_classes_and_the_others_are_those_of_training(dataset: Dataset, tiny: Config) -> None:
    assert dataset.classes[:4] == tiny.labels
    others = {voice.label for voice in dataset.voices["train"]} - set(tiny.labels)
    assert dataset.classes[4:] == sorted(others) == ["bored", "calm", "fear"]
    for fold in ("validation", "test"):
        assert {voice.label for voice in dataset.voices[fold]} == set(tiny.labels)


def test_sounds_are_decoded_once(corpora: Path, tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def count(found: list, rate_hz: int) -> list[Voice]:
        decoded.append(rate_hz)
        return [recording(np.zeros(1, np.float32), np.zeros(1, np.float32)) for _ in found]

    monkeypatch.setattr(module.voices, "load", count)
    fresh = Dataset(tiny, corpora)
    assert fresh.labelled_voices("test") is fresh.labelled_voices("test")
    assert decoded == [16_000]


def test_crops_have_the_encoders_size_and_the_configs_labels(dataset: Dataset, tiny: Config) -> None:
    counts = {"train": 4 * made.TRAIN_FACES - 1, "validation": 8, "test": 8}
    for fold, count in counts.items():
        crops, shares = dataset.crops(fold)
        assert crops.shape == (count, 64, 64)
        assert shares.sum(dim=1).tolist() == [1] * count
        labels = shares.argmax(dim=1)
        assert crops.dtype == torch.uint8
        lightness = 20 * torch.tensor([made.FACES.index(tiny.labels[label]) for label in labels]) + 40
        assert (crops.float().mean(dim=(1, 2)) - lightness).abs().max() < 3


def test_rated_crops_are_those_whose_raters_mostly_chose_a_label(dataset: Dataset, tiny: Config) -> None:
    found, columns = dataset.faces["train"], fer2013.columns(tiny.labels)
    crops, shares = dataset.rated_crops("train")
    votes = found.votes[:, columns] / found.votes.sum(axis=1, keepdims=True)
    first = np.array(columns) == found.first_labels[:, None]
    expected = (1 - tiny.recipe.first_label_share) * votes + tiny.recipe.first_label_share * first
    expected = expected[expected.sum(axis=1) > 0.5]
    assert len(crops) == len(expected) > 0
    np.testing.assert_allclose(shares, expected, rtol=1e-5)


def shared(one: fer2013.Faces, other: fer2013.Faces) -> set[bytes]:
    return {image.tobytes() for image in one.images} & {image.tobytes() for image in other.images}


def test_no_face_is_in_two_folds(corpora: Path, tiny: Config, tmp_path: Path) -> None:
    for folder in ("ravdess", "emodb", "nemo"):
        (tmp_path / folder).symlink_to(corpora / folder)
    (tmp_path / "ferplus").symlink_to(corpora / "ferplus")
    with np.load(corpora / "fer2013.npz") as archive:
        parts = dict(archive)
    parts["val_images"][1] = parts["val_images"][2]
    np.savez(tmp_path / "fer2013.npz", **parts)
    faces = Dataset(tiny, tmp_path).faces
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert len(shared(faces[one], faces[other])) == 0, f"{one} and {other} share faces"


def test_no_face_of_the_real_corpus_is_in_two_folds(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of voices are left unexamined."""
    monkeypatch.setattr(module, "select_usable", lambda voices, **_: voices)
    faces = Dataset(load(made.SHIPPED), data).faces
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert len(shared(faces[one], faces[other])) == 0, f"{one} and {other} share faces"


@pytest.mark.parametrize("all_classes", [True, False])
def test_voices_are_drawn_by_the_configs_shares(dataset: Dataset, tiny: Config, all_classes: bool) -> None:
    weights = dataset.voice_weights(all_classes=all_classes)
    drawn = [voice for voice in dataset.voices["train"] if all_classes or voice.label in tiny.labels]
    corpora = np.array([voice.corpus for voice in drawn])
    shares = {corpus: weights[corpora == corpus].sum().item() for corpus in tiny.recipe.voices}
    total = sum(shares.values())
    assert {corpus: 5 * share / total for corpus, share in shares.items()} == pytest.approx(tiny.recipe.voices)
    classes = 5 if all_classes else 4
    labels = np.array([voice.label for voice in drawn])
    of_label = [weights[labels == label].sum().item() for label in tiny.labels]
    assert of_label == pytest.approx([total / classes] * 4)


def copied_corpora(corpora: Path, root: Path) -> Path:
    """The corpora, with a training voice that also stands in the test fold, and a silent one."""
    shutil.copytree(corpora, root)
    trained, tested = (root / f"ravdess/Actor_{actor}/03-01-04-01-01-01-{actor}.flac" for actor in ("02", "14"))
    shutil.copyfile(tested, trained)
    return root


def test_a_training_voice_that_is_measured_on_is_left_out_and_named(
    corpora: Path, tiny: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = Dataset(tiny, copied_corpora(corpora, tmp_path / "corpora"))
    assert [len(dataset.voices[fold]) for fold in FOLDS] == [14, 12, 12]
    assert "03-01-04-01-01-01-02.flac" not in {voice.path.name for voice in dataset.voices["train"]}
    assert "an exact copy of a validation or test recording" in " ".join(capsys.readouterr().out.split())


def test_a_silent_voice_is_refused_or_left_out_where_that_is_asked_for(
    corpora: Path, tiny: Config, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(corpora, tmp_path / "corpora"))
    made.write_sound(root / "ravdess/Actor_02/03-01-04-01-01-01-02.flac", np.zeros(16_000, np.float32))
    with pytest.raises(UsageError, match=r"1 problems in the corpus(.|\n)*is digital silence(.|\n)*--skip-damaged"):
        Dataset(tiny, root)
    assert len(Dataset(tiny, root, skip_damaged=True).voices["train"]) == 14


def test_what_no_recording_can_teach_is_refused_before_any_is_decoded(corpora: Path, tiny: Config) -> None:
    recipe = voices_and_faces(tiny)
    unknown = replace(tiny, recipe=replace(recipe, voices={**recipe.voices, "table": 1.0}))
    for chosen, message in (
        (replace(tiny, labels=["angry", "bored"]), r"raters of FER2013 could not choose bored, only"),
        (replace(tiny, labels=["angry", "contempt"]), r"no voice .* has the label 'contempt' .*, only .*; correct"),
        (unknown, r"recipe\.voices: no corpus of voices is named table; there are ravdess"),
    ):
        with pytest.raises(UsageError, match=message):
            Dataset(chosen, corpora)


def test_an_unknown_speaker_is_refused_before_a_file_is_opened(
    corpora: Path, tiny: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "select_usable", lambda *_, **__: pytest.fail("recordings are checked by decoding"))
    recipe = replace(voices_and_faces(tiny), test_speakers=["ravdess-99"])
    with pytest.raises(UsageError, match="no recordings of ravdess-99; there are emodb-03"):
        Dataset(replace(tiny, recipe=recipe), corpora)
