"""Random numbers of the augmentations."""

import torch

from train.voices_and_faces.draws import hit, log_uniform, uniform


def test_uniform_numbers_fill_their_range(generator: torch.Generator) -> None:
    drawn = uniform((1000, 2), -3.0, 5.0, generator)
    assert drawn.shape == (1000, 2)
    assert -3 <= drawn.min() < -2.9
    assert 4.9 < drawn.max() <= 5


def test_logarithms_are_uniform(generator: torch.Generator) -> None:
    drawn = log_uniform((1000,), 0.1, 10.0, generator)
    assert 0.1 <= drawn.min() < 0.12
    assert 8 < drawn.max() <= 10
    assert 430 <= (drawn < 1).sum() <= 570


def test_so_many_are_hit(generator: torch.Generator) -> None:
    assert 240 <= hit(1000, 0.3, generator).sum() <= 360
    assert not hit(1000, 0.0, generator).any()
    assert hit(1000, 1.0, generator).all()
