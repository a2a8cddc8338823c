"""A server that stops answering and comes back: what requests meet meanwhile, and when it is trusted again."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge.backends.patience import Patience
from edge.backends.triton.address import parse
from edge.bundle.load import Bundle
from edge.errors import EngineError, UnansweredError
from tests.edge.backends.triton.made_server import MadeServer, grpc

from edge.backends.triton import server as module  # isort: skip
from edge.backends.triton.server import Server, published_name  # isort: skip
from edge.backends.triton.models import ServerInfo  # isort: skip

LONG_S = 30.0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.02)


@pytest.fixture
def fusion(vectors: Any, shipped_bundle: Bundle) -> dict[str, Any]:
    return {tensor.name: vectors["fusion"][tensor.name] for tensor in shipped_bundle.manifest.graphs.fusion.inputs}


@pytest.fixture
def opened(server: MadeServer, shipped_bundle: Bundle, patience: Patience, fusion: dict[str, Any]) -> Server:
    """The server, which has computed once."""
    made = Server(parse(server.address), shipped_bundle, patience, is_waited_for=True)
    made.open()
    made.run("fusion", fusion)
    return made


def wait_until(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(LONG_S / 0.02)):
        if condition():
            return
        tick.wait(0.02)
    raise AssertionError("it did not come to that")


def answers(server: Server, inputs: dict[str, Any]) -> bool:
    try:
        server.run("fusion", inputs)
    except UnansweredError:
        return False
    return True


def test_it_says_what_it_is(server: MadeServer, opened: Server) -> None:
    assert opened.name == "triton-2.51.0"
    assert opened.about == f"triton 2.51.0 at {server.address}, models in version 3001"
    assert published_name(ServerInfo("other", "1.0")) == "triton-1.0 (other)"


def test_a_live_run_gives_up_at_once_and_goes_on_when_the_server_is_back(
    server: MadeServer, opened: Server, patience: Patience, fusion: dict[str, Any], vectors: Any, caplog: Any
) -> None:
    with patience.live(60.0), caplog.at_level(logging.WARNING):
        server.stop()
        for _ in range(3):
            with pytest.raises(UnansweredError, match=r"^no result: triton://127\.0\.0\.1:\d+ cannot be reached"):
                opened.run("fusion", fusion)
        server.start()
        wait_until(lambda: answers(opened, fusion))
        found = opened.run("fusion", fusion)
    np.testing.assert_allclose(found["logits"], vectors["fusion"]["logits"], atol=1e-3)  # the manifest's tolerance
    said = [message.partition("127.0.0.1")[2] for message in caplog.messages]
    assert [message.split("; ")[0].split(" ", 1)[1].split(" (")[0] for message in said] == [
        "cannot be reached",
        said[1].split(" ", 1)[1],
    ]
    assert "answers again, after" in said[1]


def test_a_result_that_comes_late_is_left_out_and_the_server_looked_for(
    server: MadeServer, opened: Server, patience: Patience, fusion: dict[str, Any]
) -> None:
    with patience.live(0.4), server.held():
        with pytest.raises(UnansweredError, match=r"has not answered within 0\.2 s"):
            opened.run("fusion", fusion)
        asked = len(server.requests)
        with pytest.raises(UnansweredError):
            opened.run("fusion", fusion)
        assert len([each for each in server.requests[asked:] if each[1] != 3]) == 0, "only golden vectors are sent"
    with patience.live(60.0):
        wait_until(lambda: answers(opened, fusion))


@pytest.mark.parametrize(("way", "is_kept"), [("", True), ("?memory=shared", False)])
def test_a_connection_stands_after_a_late_result_unless_that_may_come_into_memory_in_use(
    server: MadeServer, shipped_bundle: Bundle, patience: Patience, fusion: dict[str, Any], way: str, is_kept: bool
) -> None:
    made = Server(parse(server.address + way), shipped_bundle, patience, is_waited_for=True)
    made.open()
    made.run("fusion", fusion)
    before, regions = made._connected, set(server.regions)
    with patience.live(0.4), server.held():
        assert not answers(made, fusion)
    with patience.live(60.0):
        wait_until(lambda: answers(made, fusion))
    assert (made._connected is before) is is_kept
    assert not regions & set(server.regions)


def test_work_on_recordings_waits_for_the_server(server: MadeServer, opened: Server, fusion: dict[str, Any]) -> None:
    server.stop()
    back = threading.Timer(0.2, server.start)
    back.start()
    assert opened.run("fusion", fusion).keys() == {"logits", "audio_embedding", "video_embedding"}
    back.join()


def test_work_on_recordings_gives_up_in_the_end(
    server: MadeServer, opened: Server, patience: Patience, fusion: dict[str, Any]
) -> None:
    patience.outage_s = 0.1
    server.stop()
    with pytest.raises(UnansweredError, match="start the server again"):
        opened.run("fusion", fusion)


def test_a_server_that_comes_back_with_other_weights_is_not_trusted(
    server: MadeServer, opened: Server, patience: Patience, fusion: dict[str, Any], caplog: Any
) -> None:
    with patience.live(60.0), caplog.at_level(logging.WARNING):
        server.stop()
        assert not answers(opened, fusion)
        server.offset = 1.0
        server.start()
        wait_until(lambda: any("differs by 1 from its golden outputs" in message for message in caplog.messages))
        assert not answers(opened, fusion)
        server.offset = 0.0
        wait_until(lambda: answers(opened, fusion))


def test_a_server_that_comes_back_with_another_version_is_named_by_it(
    server: MadeServer, opened: Server, patience: Patience, fusion: dict[str, Any]
) -> None:
    with patience.live(60.0):
        server.stop()
        assert not answers(opened, fusion)
        server.version = "2.60.0"
        server.start()
        wait_until(lambda: answers(opened, fusion))
    assert opened.name == "triton-2.60.0"


def test_a_server_that_refuses_later_on_is_looked_for_as_well(
    server: MadeServer, opened: Server, patience: Patience, fusion: dict[str, Any]
) -> None:
    with patience.live(60.0):
        server.refusal = grpc.StatusCode.NOT_FOUND, "unloaded"
        with pytest.raises(UnansweredError, match=r"refuses a request \(NOT_FOUND: unloaded\)"):
            opened.run("fusion", fusion)
        server.refusal = None
        wait_until(lambda: answers(opened, fusion))


def test_a_graph_that_never_worked_is_an_error_as_it_is(
    server: MadeServer, shipped_bundle: Bundle, patience: Patience, fusion: dict[str, Any]
) -> None:
    made = Server(parse(server.address), shipped_bundle, patience, is_waited_for=True)
    made.open()
    server.refusal = grpc.StatusCode.INTERNAL, "no such kernel"
    with pytest.raises(EngineError, match=r"refuses a request \(INTERNAL: no such kernel\); see the server's log"):
        made.run("fusion", fusion)
