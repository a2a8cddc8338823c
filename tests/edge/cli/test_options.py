"""Options that commands share: numbers, and what is said of those that are none."""

import click
import pytest

from edge.cli.options import WholeNumber


@pytest.mark.parametrize("value", ["0", "9", "1.5", "-1", "", "two"])
def test_what_is_no_whole_number_within_bounds_is_said_with_what_was_expected(value: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        WholeNumber(1, 8).convert(value, None, None)
    assert refused.value.message == f"found {value!r}, expected a whole number from 1 to 8"


def test_bounds_are_within_them_and_one_may_be_left_out() -> None:
    assert [WholeNumber(1, 8).convert(value, None, None) for value in ("1", "8")] == [1, 8]
    assert WholeNumber(0).convert("1000", None, None) == 1000
    with pytest.raises(click.BadParameter, match="expected a whole number of at least 0"):
        WholeNumber(0).convert("-1", None, None)
