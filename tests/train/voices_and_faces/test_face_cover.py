"""Covered faces: one rectangle of one grey, of three kinds."""

import pytest
import torch
from torch import Tensor

from train.voices_and_faces import face_cover
from train.voices_and_faces.face_cover import bands, cover, halves, rectangles


def test_some_of_the_pictures_lose_one_rectangle_of_one_grey(generator: torch.Generator) -> None:
    covered = cover(torch.full((400, 40, 40), -1.0), generator)
    holes = covered != -1.0
    hit = holes.flatten(1).any(dim=1)
    assert 50 <= hit.sum() <= 110
    for image, hole in zip(covered[hit], holes[hit], strict=True):
        rows, columns = hole.any(dim=1), hole.any(dim=0)
        assert torch.equal(hole, rows[:, None] & columns[None])
        assert hole.float().mean() <= 0.53
        assert image[hole].unique().numel() == 1
        assert 0 <= image[hole][0] <= 255


@pytest.mark.parametrize("draw", [rectangles, halves, bands])
def test_boxes_lie_within_the_picture(draw, generator: torch.Generator) -> None:
    top, bottom, left, right = draw(500, generator).T
    for start, end in ((top, bottom), (left, right)):
        assert start.min() >= 0
        assert end.max() <= 1
        assert (end > start).all()


def test_a_half_is_covered_from_each_side(generator: torch.Generator) -> None:
    boxes = halves(500, generator)
    whole = boxes == torch.tensor([0.0, 1.0, 0.0, 1.0])
    assert (whole.sum(dim=1) == 3).all()
    assert (~whole).any(dim=0).all()
    area = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    assert 0.3 <= area.min() < 0.31
    assert 0.49 < area.max() <= 0.5


def test_a_band_is_dark_and_covers_the_eyes(monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    def all_are(count: int, share: float, generator: torch.Generator) -> Tensor:
        return torch.ones(count, dtype=torch.bool)

    monkeypatch.setattr(face_cover, "hit", all_are)
    covered = cover(torch.full((300, 100, 100), 255.0), generator)
    over_the_eyes = (covered[:, 33, 50] < 255) & (covered[:, 33, 2] == 255) & (covered[:, 70, 50] == 255)
    assert over_the_eyes.sum() > 60
    top, bottom, *_ = bands(300, generator).T
    assert ((top < 0.33) & (bottom > 0.33)).all()
