"""The mean of how faces look."""

import numpy as np
import pytest

from edge.preprocess.face_looks import description
from edge.sources.demo import MOODS, face
from train.field.looks_mean import mean_look, pictures


def test_a_mean_is_that_of_all_pictures_in_all_sizes() -> None:
    photographs = [np.ascontiguousarray(face(mood)[13:237, 48:272]) for mood in MOODS[:2]]
    each = [description(picture) for photograph in photographs for picture in pictures(photograph)]
    assert mean_look(photographs) == pytest.approx(np.mean(each, axis=0), abs=1e-6)  # float32
    assert len(each) == 6
