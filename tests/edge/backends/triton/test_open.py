"""Backends on a server, as `--backend` opens them: proven at the start, with or without one that stands in."""

import logging
import threading
from typing import Any

import numpy as np
import pytest

from edge.backends.fallback import FallbackBackend
from edge.backends.onnxruntime import OrtBackend
from edge.backends.patience import Patience
from edge.backends.select import open_backend
from edge.bundle.load import Bundle
from edge.errors import EngineError, UnansweredError, UsageError
from tests.edge.backends.tensorrt import made_engines
from tests.edge.backends.triton.made_server import MadeServer

BUILDER = made_engines.engine_builder([])


def test_a_server_is_proven_and_says_its_versions(server: MadeServer, shipped_bundle: Bundle) -> None:
    opened = open_backend(shipped_bundle, server.address, 1, BUILDER)
    assert opened.backend.name == "triton-2.51.0"
    assert opened.reason == f"triton 2.51.0 at {server.address}, models in version 3001"
    assert [proof.is_within_tolerance for proof in opened.proofs] == [True] * 3
    assert {model for model, *_ in server.requests} == set(server.configs)
    opened.backend.save_compiled()


def test_a_server_that_computes_something_else_is_refused(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.offset = 0.5
    with pytest.raises(EngineError) as refused:
        open_backend(shipped_bundle, server.address, 1, BUILDER)
    assert "image_encoder differs by 0.5 from its golden outputs" in str(refused.value)
    assert str(refused.value).endswith("-o REPOSITORY (docs/triton.md)")


@pytest.mark.parametrize("falls_back", [False, True])
def test_an_address_that_makes_no_sense_is_a_usage_error(shipped_bundle: Bundle, falls_back: bool) -> None:
    with pytest.raises(UsageError, match="is expected"):
        open_backend(shipped_bundle, "triton://", 1, BUILDER, falls_back=falls_back)


def test_without_a_server_there_is_no_backend(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.stop()
    with pytest.raises(UnansweredError, match="cannot be reached"):
        open_backend(shipped_bundle, server.address, 1, BUILDER)


def test_this_machine_stands_in_only_while_the_server_does_not_answer(
    server: MadeServer, shipped_bundle: Bundle, vectors: Any, caplog: Any
) -> None:
    server.stop()
    patience = Patience()
    with caplog.at_level(logging.WARNING):
        opened = open_backend(shipped_bundle, server.address, 1, BUILDER, patience=patience, falls_back=True)
    backend = opened.backend
    assert isinstance(backend, FallbackBackend)
    assert isinstance(backend.local, OrtBackend)
    assert backend.name == "onnxruntime-cpu"
    assert f"{server.address}, which has not answered yet; while it does not answer onnxruntime-cpu on" in opened.reason
    assert any("onnxruntime-cpu computes here from now on" in message for message in caplog.messages)
    inputs = {tensor.name: vectors["fusion"][tensor.name] for tensor in shipped_bundle.manifest.graphs.fusion.inputs}
    server.start()
    tick = threading.Event()
    for _ in range(600):
        found = backend.fusion(inputs)
        np.testing.assert_allclose(found["logits"], vectors["fusion"]["logits"], atol=1e-3)  # the manifest's tolerance
        if not backend.is_local:
            break
        tick.wait(0.05)
    assert backend.name == "triton-2.51.0"
    assert backend.fusion.device_ms is None


def test_other_models_are_no_reason_to_fall_back(server: MadeServer, shipped_bundle: Bundle) -> None:
    server.configs.clear()
    with pytest.raises(EngineError, match="has no model"):
        open_backend(shipped_bundle, server.address, 1, BUILDER, falls_back=True)


def test_a_client_that_is_not_installed_is_named_with_the_extra(
    shipped_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_module(name: str, package: str) -> None:
        raise ModuleNotFoundError(f"No module named {name}", name="tritonclient")

    monkeypatch.setattr("edge.backends.select.importlib.import_module", import_module)
    with pytest.raises(EngineError, match=r"package tritonclient is not installed.*pip install 'foal-edge\[triton\]'"):
        open_backend(shipped_bundle, "triton://localhost", 1, BUILDER)
    with pytest.raises(UsageError, match="is expected"):  # which is said first: a package would not help
        open_backend(shipped_bundle, "triton://localhost:0", 1, BUILDER)


def test_a_package_that_the_client_lacks_is_named(shipped_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str, package: str) -> None:
        lacking = ModuleNotFoundError("No module named 'rapidjson'", name="rapidjson")
        raise RuntimeError("The installation does not include grpc support.") from lacking  # as tritonclient.grpc does

    monkeypatch.setattr("edge.backends.select.importlib.import_module", import_module)
    with pytest.raises(EngineError, match=r"package rapidjson is not installed.*pip install 'foal-edge\[triton\]'"):
        open_backend(shipped_bundle, "triton://localhost", 1, BUILDER)
