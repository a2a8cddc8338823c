"""The error tree: every branch has the exit status that its drawing gives."""

import pytest

from edge.errors import BundleError, FoalError, PublishError, SourceError, UsageError


@pytest.mark.parametrize(
    ("error", "status"), [(FoalError, 1), (UsageError, 2), (SourceError, 3), (BundleError, 4), (PublishError, 5)]
)
def test_each_error_has_its_own_exit_status(error: type[FoalError], status: int) -> None:
    assert issubclass(error, FoalError)
    assert error("reason").exit_status == status
