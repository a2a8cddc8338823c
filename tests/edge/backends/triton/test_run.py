"""Whole runs whose graphs are computed by a server: what is published while it is away, and what is said."""

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.cli.engine_builder import make_engine_builder
from edge.errors import UnansweredError, UsageError
from edge.session.config import Config, StreamConfig, load_config
from edge.session.run import run
from edge.wire.drop_reasons import WINDOWS_UNANSWERED
from edge.wire.messages import Prediction, Status
from tests.edge.backends.triton.made_server import MadeServer

IDLE = make_engine_builder(bool, quiet=True)


def settings(server: MadeServer, **changes: Any) -> Config:
    demo = StreamConfig(demo=True)
    config = Config(
        (demo,), bind="off", control="off", backend=server.address, detector="cascade", hop_s=0.25, threads=1
    )
    return msgspec.structs.replace(config, **changes)


def run_until(config: Config, is_over: Any) -> list[Any]:
    """Run until `is_over` says so of the messages that were sent; return them."""
    stop, sent = threading.Event(), []

    def on_sent(message: Any) -> None:
        sent.append(message)
        if is_over(sent):
            stop.set()

    run(config, stop, IDLE, lambda _: None, on_sent)
    return sent


def predictions(sent: list[Any]) -> list[Prediction]:
    return [message for message in sent if isinstance(message, Prediction)]


def test_a_live_run_goes_on_while_the_server_is_away_and_after_it(server: MadeServer) -> None:
    stages = ["computes"]

    def is_over(sent: list[Any]) -> bool:
        if stages[-1] == "computes" and len(predictions(sent)) == 3:
            server.stop()
            stages.append("is away")
        elif stages[-1] == "is away" and isinstance(sent[-1], Status) and sent[-1].dropped[WINDOWS_UNANSWERED] > 2:
            server.start()
            stages.append(str(len(predictions(sent))))
        return stages[-1].isdecimal() and len(predictions(sent)) > int(stages[-1]) + 2

    sent = run_until(settings(server), is_over)
    found = predictions(sent)
    assert {message.backend for message in found} == {"triton-2.51.0"}
    assert [message.seq for message in found] == list(range(len(found)))
    assert found[-1].dropped[WINDOWS_UNANSWERED] > 2
    assert {message.state for message in sent if isinstance(message, Status)} == {"online", "stopped"}


def test_a_live_run_that_falls_back_says_who_computed(server: MadeServer) -> None:
    def is_over(sent: list[Any]) -> bool:
        backends = [message.backend for message in predictions(sent)]
        if len(backends) == 3 and isinstance(sent[-1], Prediction):
            server.stop()
        return len(backends) > 3 and "triton-2.51.0" in backends and backends[-1] == "onnxruntime-cpu"

    sent = run_until(settings(server, fallback="local"), is_over)
    backends = [message.backend for message in predictions(sent)]
    assert set(backends) == {"triton-2.51.0", "onnxruntime-cpu"}
    assert backends[-1] == "onnxruntime-cpu"
    assert predictions(sent)[-1].dropped[WINDOWS_UNANSWERED] == 0


def test_a_recording_gives_what_it_gives_without_a_server(server: MadeServer, tmp_path: Path) -> None:
    config = settings(server, fast=True, hop_s=4.0)
    by_server, alone = (
        [(message.label, message.mono_end) for message in predictions(run_until(each, lambda _: False))]
        for each in (config, msgspec.structs.replace(config, backend="onnxruntime"))
    )
    assert by_server == alone
    assert len(alone) == 8


def test_a_run_does_not_begin_without_its_server(server: MadeServer) -> None:
    server.stop()
    with pytest.raises(UnansweredError, match="cannot be reached"):
        run_until(settings(server), lambda _: False)


def test_a_fallback_is_one_from_a_server(tmp_path: Path) -> None:
    assert load_config(None, {"backend": "tritons://gpu:1", "fallback": "local"}).fallback == "local"
    with pytest.raises(UsageError, match=r"--fallback local is for a server; --backend auto is none"):
        load_config(None, {"fallback": "local"})
    with pytest.raises(UsageError, match=r"one of auto, .* or triton://HOST:PORT"):
        load_config(None, {"backend": "triton"})
