"""Boxes that hold the centre of another one, its edges to the right and below left out."""

import pytest

from edge.geometry import Box


@pytest.mark.parametrize(
    ("other", "holds"),
    [
        (Box(0, 0, 2, 2), False),
        (Box(9, 19, 2, 2), True),
        (Box(0, 0, 60, 60), True),
        (Box(39, 49, 2, 2), False),
        (Box(38, 48, 2, 2), True),
        (Box(20, 0, 2, 2), False),
        (Box(0, 30, 2, 2), False),
    ],
)
def test_a_box_holds_the_centre_of_another(other: Box, holds: bool) -> None:
    assert Box(10, 20, 30, 30).holds_centre_of(other) == holds
