"""The table of the scenario, and what a node is counted to have published."""

from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")

from benchmarks.triton.scenario import Figures, Node, Ways, come_back, markdown, part, wait_for_all
from edge.errors import FoalError
from edge.wire.drop_reasons import DROP_REASONS, WINDOWS_EMPTY, WINDOWS_STALE, WINDOWS_UNANSWERED
from tests.edge.made_messages import PREDICTION


class MadeProgram:
    """A program whose messages are there, or come one by one, for ever."""

    def __init__(self, *messages: Any) -> None:
        self.waiting, self.messages = list(messages), self

    def receive(self, _timeout_s: float) -> Any:
        return self.waiting.pop(0) if self.waiting else None

    def cpu_s(self) -> float:
        return 0.0

    def has_ended(self) -> bool:
        return False


def prediction(stream: str, unanswered: int = 0) -> Any:
    dropped = {**dict.fromkeys(DROP_REASONS, 0), WINDOWS_UNANSWERED: unanswered}
    return replace(PREDICTION, stream=stream, dropped=dropped, backend="triton-2.51.0")


def node(*messages: Any, streams: int = 2) -> Node:
    return Node("a", MadeProgram(*messages), streams)


def test_a_part_counts_what_each_stream_published_and_dropped_in_it() -> None:
    made = node(prediction("a0", 2), prediction("a1"))
    made.take(0)
    made.program.waiting = [prediction("a0", 3), prediction("a0", 5)]
    (found,) = part("restart", [made], 0.01, lambda: None)
    assert (found.part, found.node, found.published, found.backends) == ("restart", "a", [2, 0], ["triton-2.51.0"])
    assert found.dropped[WINDOWS_UNANSWERED] == 3


def test_a_return_keeps_what_came_before_it() -> None:
    made = node(prediction("a0"), prediction("a1"))
    made.take(0)
    made.program.waiting = [prediction("a1"), prediction("a0")]
    come_back([made])
    assert [each.stream for each in made.predictions] == ["a0", "a1", "a1", "a0"]


def test_a_stream_that_does_not_begin_is_an_error() -> None:
    with pytest.raises(FoalError, match="not every stream has predicted within 0 s"):
        wait_for_all([node(prediction("a0"))], 0.0)


def test_the_table_has_a_row_a_part_and_node() -> None:
    dropped = dict.fromkeys(DROP_REASONS, 0) | {WINDOWS_UNANSWERED: 4, WINDOWS_STALE: 2, WINDOWS_EMPTY: 1}
    figures = [
        Figures("both nodes", "a", 10.0, [9, 10], dropped, [20.0, 40.0], 0.5, ["triton-2.51.0"]),
        Figures("server slow", "a", 5.0, [0, 0], dropped, [], 0.0, []),
    ]
    rows = markdown(figures, 0.5).splitlines()[2:]
    assert rows[0] == "| both nodes | a | 10.0 | 20 | 9, 10 | 4 | 0 | 3 | 30, 40 | 25 | triton-2.51.0 |"
    assert "| 0, 0 |" in rows[1]


def test_the_nodes_get_the_servers_address() -> None:
    assert Ways(True, False).options("triton://a:1") == [
        "--backend",
        "triton://a:1?memory=shared",
        "--fallback",
        "none",
    ]
    assert Ways(False, True).options("triton://a:1") == ["--backend", "triton://a:1", "--fallback", "local"]
