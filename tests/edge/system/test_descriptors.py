"""How many files, sockets and devices may be open at once."""

import resource
from collections.abc import Iterator

import pytest

from edge.system.descriptors import raise_limit


@pytest.fixture
def hard() -> Iterator[int]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_becomes_the_hard_one(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_a_limit_that_cannot_be_raised_is_said_and_left(hard: int, monkeypatch, caplog) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))

    def refuse(_kind: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    with monkeypatch.context() as patch:
        patch.setattr(resource, "setrlimit", refuse)
        raise_limit()
    assert "512 files, sockets and devices may be open at once, no more: not allowed" in caplog.text
