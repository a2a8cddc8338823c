"""FER2013: classes by name, copies of held-out faces dropped."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import UsageError
from train.corpora import fer2013

LABELS = ["angry", "happy", "neutral", "sad"]
CLASSES = ["angry", "fear", "happy", "sad", "neutral"]


def write(root: Path, train_images: np.ndarray, train_labels: list[int], val_images: np.ndarray, val_labels: list[int]):
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


def test_classes_are_matched_by_name(tmp_path: Path, images: np.ndarray) -> None:
    write(tmp_path, images[:6], [0, 1, 2, 3, 4, 4], images[6:10], [4, 3, 1, 0])
    train, validation = fer2013.load(tmp_path, LABELS)
    assert train.labels.tolist() == [0, 1, 3, 2, 2]
    assert validation.labels.tolist() == [2, 3, 0]
    np.testing.assert_array_equal(train.images, images[[0, 2, 3, 4, 5]])
    np.testing.assert_array_equal(validation.images, images[[6, 7, 9]])


def test_training_faces_that_recur_in_the_held_out_part_are_dropped(tmp_path: Path, images: np.ndarray) -> None:
    write(tmp_path, images[[0, 1, 2, 6, 3, 7]], [0, 2, 3, 4, 4, 0], images[6:9], [0, 2, 3])
    train, validation = fer2013.load(tmp_path, LABELS)
    np.testing.assert_array_equal(train.images, images[[0, 1, 2, 3]])
    assert train.labels.tolist() == [0, 1, 3, 2]
    assert len(validation.images) == 3


def test_an_unknown_class_is_refused_by_name(tmp_path: Path, images: np.ndarray) -> None:
    write(tmp_path, images[:2], [0, 1], images[2:4], [0, 1])
    with pytest.raises(UsageError, match=r"no class bored, proud; it has angry, fear, happy, sad, neutral"):
        fer2013.load(tmp_path, ["proud", "angry", "bored"])


def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"fer2013\.npz; set FOAL_DATA"):
        fer2013.load(tmp_path, LABELS)


def test_the_real_corpus_has_its_counts_and_no_copies(data: Path) -> None:
    train, validation = fer2013.load(data, LABELS)
    assert np.bincount(validation.labels).tolist() == [464, 894, 605, 652]
    held_out = {image.tobytes() for image in validation.images}
    assert not any(image.tobytes() in held_out for image in train.images)
    assert len(train.images) == 20_869
