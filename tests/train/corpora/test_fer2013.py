"""FER2013: emotions by name, raters' votes as shares, copies of held-out faces dropped."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import UsageError
from tests.train import made
from train.corpora import fer2013
from train.corpora.similar_images import similar

LABELS = ["angry", "happy", "neutral", "sad"]
CLASSES = ["angry", "fear", "happy", "sad", "neutral"]


def write(root: Path, train_images: np.ndarray, train_labels: list[int], val_images: np.ndarray, val_labels: list[int]):
    """Faces of which raters think what the corpus says."""
    for part, labels in (("train", train_labels), ("val", val_labels)):
        made.write_votes(root, part, np.array([made.votes(CLASSES[label]) for label in labels]))
    np.savez(
        root / "fer2013.npz",
        train_images=train_images,
        train_labels=train_labels,
        val_images=val_images,
        val_labels=val_labels,
        classes=np.array(CLASSES),
    )


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, 48, 48)).astype(np.uint8)


def test_emotions_are_matched_by_name(tmp_path: Path, images: np.ndarray) -> None:
    write(tmp_path, images[:6], [0, 1, 2, 3, 4, 4], images[6:10], [4, 3, 1, 0])
    train, validation = fer2013.load(tmp_path)
    for found, names in ((train, [0, 1, 2, 3, 4, 4]), (validation, [4, 3, 1, 0])):
        expected = [CLASSES[name] for name in names]
        assert [fer2013.EMOTIONS[index] for index in found.majority] == expected
        assert [fer2013.EMOTIONS[index] for index in found.first_labels] == expected
    np.testing.assert_array_equal(train.images, images[:6])
    np.testing.assert_array_equal(validation.images, images[6:10])
    assert fer2013.classes(train.majority, LABELS).tolist() == [0, -1, 1, 3, 2, 2]
    assert fer2013.classes(np.array([fer2013.NONE]), LABELS).tolist() == [fer2013.NONE]


def test_votes_are_shares_of_all_raters_and_a_majority_is_more_than_half(tmp_path: Path, images: np.ndarray) -> None:
    write(tmp_path, images[:4], [0, 0, 0, 0], images[4:6], [0, 0])
    made.write_votes(tmp_path, "train", np.array([made.votes("sad", raters) for raters in (8, 6, 5, 4)]))
    made.write_votes(tmp_path, "val", np.array([made.votes("sad", 2), np.zeros(10)]))
    train, validation = fer2013.load(tmp_path)
    sad = fer2013.EMOTIONS.index("sad")
    np.testing.assert_allclose(train.votes[:, sad], [0.8, 0.6, 0.5])
    assert train.majority.tolist() == [sad, sad, fer2013.NONE], "of the fourth face half of the raters know no emotion"
    np.testing.assert_allclose(validation.votes.sum(axis=1), [0.3, 0.0], rtol=1e-6)
    assert validation.majority.tolist() == [fer2013.NONE, fer2013.NONE]


def test_faces_that_recur_in_the_held_out_part_are_dropped(tmp_path: Path, images: np.ndarray) -> None:
    darker = images[8] // 2 + 20
    held_out = np.concatenate([images[6:9], images[7:8]])
    write(tmp_path, np.stack([*images[[0, 1, 2, 6, 3]], darker]), [0, 2, 3, 4, 4, 0], held_out, [0, 2, 3, 2])
    train, validation = fer2013.load(tmp_path)
    np.testing.assert_array_equal(train.images, images[:4])
    np.testing.assert_array_equal(validation.images, images[6:9])


def test_a_label_that_raters_could_not_choose_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"could not choose bored, proud, only neutral, happy, .*contempt"):
        fer2013.columns(["proud", "angry", "bored"])


def test_votes_of_another_number_of_faces_are_refused(tmp_path: Path, images: np.ndarray) -> None:
    write(tmp_path, images[:2], [0, 1], images[2:4], [0, 1])
    made.write_votes(tmp_path, "val", np.array([made.votes("sad")]))
    with pytest.raises(UsageError, match=r"ferplus_val\.npz rates 1 faces, .*fer2013\.npz has 2"):
        fer2013.load(tmp_path)


@pytest.mark.parametrize("name", ["fer2013.npz", "ferplus/ferplus_train.npz"])
def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path, images: np.ndarray, name: str) -> None:
    write(tmp_path, images[:2], [0, 1], images[2:4], [0, 1])
    (tmp_path / name).unlink()
    with pytest.raises(UsageError, match=rf"{name}; set FOAL_DATA.*holds {name}"):
        fer2013.load(tmp_path)


def test_the_real_corpus_has_its_counts_and_no_copies(data: Path) -> None:
    train, validation = fer2013.load(data)
    assert np.bincount(fer2013.classes(validation.majority, LABELS) + 1).tolist() == [1126, 229, 844, 1054, 274]
    assert len(train.images) == 27_563
    assert not similar(train.images, validation.images).any()
