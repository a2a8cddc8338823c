"""Held-out faces of the corpora, and parts of photographs."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.job import read_faces
from benchmarks.peers.pictures import FaceSet, centre, face_sets, write_faces


@pytest.fixture(scope="session")
def data() -> Path:
    if "FOAL_DATA" not in os.environ:
        pytest.skip("FOAL_DATA names no folder of the real corpora")
    return Path(os.environ["FOAL_DATA"])


def test_the_centre_of_an_image_is_a_share_of_its_sides() -> None:
    image = np.arange(36, dtype=np.uint8).reshape(6, 6)
    assert centre(image, 2 / 3).tolist() == image[1:5, 1:5].tolist()
    assert centre(image, 1.0).tolist() == image.tolist()


def test_a_worker_reads_the_faces_that_were_written(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    sets = [FaceSet(f"{side}", draw.integers(0, 256, (3, side, side), np.uint8), {}) for side in (48, 64)]
    files = write_faces(sets, tmp_path)
    assert [(part.count, part.height) for part in files] == [(3, 48), (3, 64)]
    for part, each in zip(files, sets, strict=True):
        assert np.array_equal(read_faces(part), each.faces)


def test_every_face_of_the_corpora_has_a_truth_by_each_who_said_one(data: Path) -> None:
    first, *photographs = face_sets(data)
    assert first.faces.shape[1:] == (48, 48)
    assert [*first.truths] == ["raters", "first labels"]
    assert [each.faces.shape[1:] for each in photographs] == [(85, 85), (102, 102), (128, 128)]
    for each in (first, *photographs):
        assert {len(truth) for truth in each.truths.values()} == {len(each.faces)}
    assert set(photographs[0].truths["one rater"]) >= {"angry", "happy", "neutral", "sad"}
