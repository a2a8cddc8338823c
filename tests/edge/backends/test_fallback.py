"""The backend of this machine in place of a server's, graph by graph."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from edge.backends.fallback import FallbackBackend
from edge.errors import EngineError, UnansweredError


class Computing:
    """A backend whose graphs say who computed, or raise what they are told to."""

    def __init__(self, name: str) -> None:
        self.name, self.about = name, f"a machine of {name}"
        self.error: Exception | None = None
        self.saved = 0
        self.image_encoder = self.audio_encoder = self.fusion = self

    device_ms = 2.0

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"by": self.name, **inputs}

    def save_compiled(self) -> None:
        self.saved += 1


@pytest.fixture
def both() -> tuple[Computing, Computing, FallbackBackend]:
    served, local = Computing("server"), Computing("here")
    return served, local, FallbackBackend(served, local)


def test_each_request_is_computed_where_it_can_be_and_the_name_says_where(both: Any, caplog: Any) -> None:
    served, _, backend = both
    by = []
    with caplog.at_level(logging.WARNING):
        for problem in (None, UnansweredError("gone", "start it"), UnansweredError("gone", "start it"), None):
            served.error = problem
            by.append((backend.fusion({"x": 1})["by"], backend.name, backend.fusion.device_ms))
    assert by == [("server", "server", None), ("here", "here", 2.0), ("here", "here", 2.0), ("server", "server", None)]
    assert caplog.messages == [
        "here computes here from now on, as --fallback local says: gone",
        "server computes again",
    ]


def test_an_error_that_is_no_silence_is_not_hidden(both: Any) -> None:
    served, _, backend = both
    served.error = EngineError("wrong")
    with pytest.raises(EngineError, match="wrong"):
        backend.image_encoder({})


def test_it_is_described_by_both_and_keeps_what_this_machine_compiled(both: Any) -> None:
    _, local, backend = both
    backend.save_compiled()
    assert local.saved == 1
    assert backend.about == "a machine of server; while it does not answer here on a machine of here"
