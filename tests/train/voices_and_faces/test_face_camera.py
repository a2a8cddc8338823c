"""The camera's way with faces: each spoiling against its own reference."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from train.voices_and_faces import face_camera
from train.voices_and_faces.face_camera import blur, compress, light, resample, resolve, sense


@pytest.fixture(scope="module")
def faces() -> Tensor:
    """Smooth pictures, greys from 0 to 255."""
    noise = np.random.default_rng(0).normal(128, 300, (60, 64, 64))
    return torch.from_numpy(np.stack([cv2.GaussianBlur(n, (0, 0), 4) for n in noise]).clip(0, 255)).float()


def only(monkeypatch: pytest.MonkeyPatch, *shares: str) -> None:
    """All faces are spoiled in one way, none in another."""
    for name in ("DARK", "BACK_LIT", "BLURRED", "COARSE", "NOISY", "COMPRESSED"):
        monkeypatch.setattr(face_camera, name, float(name in shares))


def contrast(x: Tensor) -> Tensor:
    return x.float().flatten(1).std(dim=1)


def test_a_face_in_the_dark_keeps_its_picture_at_little_contrast(
    faces: Tensor, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    only(monkeypatch, "DARK")
    dark = light(faces, generator)
    assert (contrast(dark) / contrast(faces)).max() < 0.8
    assert (contrast(dark) / contrast(faces)).min() < 0.12
    for found, face in zip(dark, faces, strict=True):
        assert np.corrcoef(found.flatten(), face.flatten())[0, 1] > 0.9


def test_without_spoiling_light_stays_monotonic(
    faces: Tensor, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    only(monkeypatch)
    lit = light(faces, generator)
    assert lit.min() >= 0
    assert lit.max() <= 255
    for found, face in zip(lit, faces, strict=True):
        ordered = found.flatten()[face.flatten().argsort()]
        assert (ordered.diff() >= -1e-3).all()


def test_light_from_one_side_makes_a_slope(monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    only(monkeypatch, "BACK_LIT")
    lit = light(torch.full((60, 64, 64), 128.0), generator)
    corners = lit[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners.amax(dim=1) - corners.amin(dim=1)).min() > 15
    only(monkeypatch)
    flat = light(torch.full((60, 64, 64), 128.0), generator)
    assert (flat.amax(dim=(1, 2)) - flat.amin(dim=(1, 2))).max() < 1e-3


def test_a_blur_is_opencvs_but_at_the_edge(faces: Tensor) -> None:
    sigma = torch.tensor([0.7, 1.5, 3.0])
    matrices = blur(64, sigma)
    for deviation, matrix, face in zip(sigma.tolist(), matrices, faces, strict=False):
        expected = cv2.GaussianBlur(face.numpy(), (31, 31), deviation)
        found = (matrix @ face @ matrix.T).numpy()
        np.testing.assert_allclose(found[16:-16, 16:-16], expected[16:-16, 16:-16], atol=0.05)


def test_no_blur_changes_nothing() -> None:
    torch.testing.assert_close(blur(8, torch.zeros(2)), torch.eye(8).expand(2, 8, 8))


@pytest.mark.parametrize("pixels", [16, 32])
def test_a_coarse_face_is_averaged_down_and_interpolated_up(faces: Tensor, pixels: int) -> None:
    matrix = resample(64)[pixels]
    small = cv2.resize(faces[0].numpy(), (pixels, pixels), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(small, (64, 64), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose((matrix @ faces[0] @ matrix.T).numpy(), expected, atol=0.01)
    assert torch.equal(resample(64)[0], torch.eye(64))


@pytest.mark.parametrize("how", ["BLURRED", "COARSE"])
def test_poor_pictures_lose_detail_and_the_others_only_change_their_sharpness(
    how: str, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    noise = torch.rand(60, 64, 64, generator=generator) * 255
    only(monkeypatch, how)
    assert (contrast(resolve(noise, generator)) < 0.75 * contrast(noise)).all()
    only(monkeypatch)
    assert (contrast(resolve(noise, generator)) > 0.35 * contrast(noise)).all()


def test_noise_has_its_deviation_and_greys_are_rounded(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    grey = torch.full((60, 64, 64), 128.4)
    only(monkeypatch)
    assert torch.equal(sense(grey, generator), torch.full((60, 64, 64), 128, dtype=torch.uint8))
    only(monkeypatch, "NOISY")
    deviations = contrast(sense(grey, generator))
    assert 0.5 <= deviations.min() < 1.2
    assert 6 < deviations.max() < 7.2


def test_coded_faces_are_what_opencv_makes_of_them(
    faces: Tensor, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    monkeypatch.setattr(face_camera, "QUALITIES", (20, 20))
    pictures = faces.to(torch.uint8)
    only(monkeypatch)
    assert torch.equal(compress(pictures.clone(), generator), pictures)
    only(monkeypatch, "COMPRESSED")
    coded = compress(pictures.clone(), generator)
    _, expected = cv2.imencode(".jpg", pictures[3].numpy(), [cv2.IMWRITE_JPEG_QUALITY, 20])
    np.testing.assert_array_equal(coded[3].numpy(), cv2.imdecode(expected, cv2.IMREAD_GRAYSCALE))
    assert (coded != pictures).flatten(1).any(dim=1).all()
