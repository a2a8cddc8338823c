"""Sizes in which batches are run."""

import pytest

from edge.backends.batches import batch_sizes
from edge.bundle.manifest import Batch


@pytest.mark.parametrize(
    ("usual", "largest", "sizes"),
    [
        (1, 1, [1]),
        (1, 2, [1, 2]),
        (3, 8, [1, 2, 3, 4, 8]),
        (4, 32, [1, 2, 4, 8, 16, 32]),
        (6, 6, [1, 2, 4, 6]),
        (5, 33, [1, 2, 4, 5, 8, 16, 32, 33]),
    ],
)
def test_sizes_of_batches_lie_no_more_than_twice_apart(usual: int, largest: int, sizes: list[int]) -> None:
    assert batch_sizes(Batch(usual, largest)) == sizes
