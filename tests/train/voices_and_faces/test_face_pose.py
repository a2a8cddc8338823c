"""Pose of faces: turns, scales and shifts within their limits."""

import math

import pytest
import torch

from train.voices_and_faces import face_pose
from train.voices_and_faces.face_pose import turn


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No turn, scale, squeeze or shift, until a test allows one again."""
    for name, value in (("LARGEST_TURN", 0.0), ("LARGEST_SHIFT", 0.0), ("SCALES", (1, 1)), ("SQUEEZES", (1, 1))):
        monkeypatch.setattr(face_pose, name, value)
    return monkeypatch


def places(x: torch.Tensor) -> torch.Tensor:
    """Centre of mass `[N, 2]`, down and right from the middle."""
    place = torch.arange(float(x.shape[1])) - (x.shape[1] - 1) / 2
    return torch.stack([(x.sum(dim=axis) * place).sum(dim=1) / x.sum(dim=(1, 2)) for axis in (2, 1)], dim=1)


def dots(row: int, column: int) -> torch.Tensor:
    x = torch.zeros(200, 50, 50)
    x[:, row : row + 2, column : column + 2] = 1.0
    return x


@pytest.mark.usefixtures("still")
def test_a_still_face_is_itself_or_its_mirror_image(generator: torch.Generator) -> None:
    x = torch.rand(200, 32, 32)
    turned = turn(x, generator)
    itself, mirrored = ((turned - other).abs().amax(dim=(1, 2)) < 1e-3 for other in (x, x.flip(2)))
    assert (itself ^ mirrored).all()
    assert 70 <= mirrored.sum() <= 130


def test_a_shift_moves_a_face_by_at_most_its_limit(still: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    still.setattr(face_pose, "LARGEST_SHIFT", 0.15)
    moved = places(turn(dots(24, 24), generator)).abs()
    assert moved.max() <= 0.15 * 25 + 0.01
    assert (moved.amax(dim=0) > 3).all()


def test_a_turn_goes_to_its_limit_on_both_sides_and_mostly_less(
    still: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    still.setattr(face_pose, "LARGEST_TURN", math.radians(30))
    down, right = places(turn(dots(8, 24), generator)).T
    angles = torch.atan2(right, -down).rad2deg()
    assert angles.abs().max() <= 30.1
    assert angles.max() > 20
    assert angles.min() < -20
    assert angles.abs().median() < 15


def test_a_scale_spreads_a_face_within_its_limits(still: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    still.setattr(face_pose, "SCALES", (0.8, 1.25))
    down, _ = places(turn(dots(14, 24), generator)).T
    assert -10 / 0.8 - 0.1 <= down.min() < -11.5
    assert -9 < down.max() <= -10 / 1.25 + 0.1
