"""Fixtures of the tests of a server: a repository of the shipped bundle, and a server of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.backends.patience import Patience
from edge.bundle.load import Bundle


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")
    from edge.bundle.load import SHIPPED, load
    from export.model_repository import write

    folder = tmp_path_factory.mktemp("triton") / "models"
    write(load(SHIPPED), folder, "onnx", 0.5, lambda _: None, lambda _: b"")
    return folder


@pytest.fixture(scope="module")
def ort(shipped_bundle: Bundle) -> OrtBackend:
    return OrtBackend(shipped_bundle, threads=1)


@pytest.fixture
def server(shipped_bundle: Bundle, ort: OrtBackend, repository: Path) -> "Iterator[MadeServer]":  # noqa: F821
    from tests.edge.backends.triton.made_server import MadeServer

    made = MadeServer(shipped_bundle, ort, repository).start()
    yield made
    made.stop()


@pytest.fixture
def patience() -> Patience:
    return Patience()
