"""Roofline of a GPU in torch."""

import pytest
import torch

from edge.errors import UsageError
from export import torch_roofline


def test_a_cpu_has_no_roof_here() -> None:
    with pytest.raises(UsageError, match=r"^device cpu: a GPU's roofline is measured here, torch finds .*; give cuda "):
        torch_roofline.measure("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match=r"^device cuda: .* torch finds no GPU; "):
        torch_roofline.measure("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_a_gpu_has_one() -> None:
    roofline = torch_roofline.measure("cuda")
    assert roofline.gemm_gflops > 0
    assert roofline.copy_gbps > 0
