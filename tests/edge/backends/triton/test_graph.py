"""Graphs over a connection: one request a batch, and the numbers of the backend behind it, by either way."""

from typing import Any

import numpy as np
import pytest

from edge.backends.base import get_graph
from edge.backends.onnxruntime import OrtBackend
from edge.backends.patience import Patience
from edge.backends.triton.address import parse
from edge.bundle.load import Bundle
from edge.bundle.manifest import GraphName
from edge.errors import EngineError
from tests.edge.backends.triton.made_server import MadeServer

from edge.backends.triton.connection import Connection  # isort: skip
from edge.backends.triton.graph import RemoteGraph  # isort: skip

GRAPHS: tuple[GraphName, ...] = ("image_encoder", "audio_encoder", "fusion")


def inputs_of(bundle: Bundle, vectors: Any, graph: GraphName, rows: int) -> dict[str, Any]:
    """So many rows of a graph's golden inputs, again and again."""
    entry = bundle.manifest.graphs.by_name()[graph]
    return {tensor.name: np.resize(vectors[graph][tensor.name], (rows, *tensor.shape[1:])) for tensor in entry.inputs}


@pytest.mark.parametrize("way", ["", "?memory=shared"])
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_batch_is_one_request_and_gives_what_the_server_computes(
    server: MadeServer,
    shipped_bundle: Bundle,
    vectors: Any,
    ort: OrtBackend,
    patience: Patience,
    way: str,
    graph: GraphName,
) -> None:
    connection = Connection(parse(server.address + way))
    remote = RemoteGraph(connection, shipped_bundle, graph, patience)
    assert remote.device_ms is None
    for rows in (1, 5, 32):
        inputs = inputs_of(shipped_bundle, vectors, graph, rows)
        expected = {name: array.copy() for name, array in get_graph(ort, graph)(inputs).items()}
        found = remote(inputs)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)
        assert server.requests[-1] == (f"foal-nano.{graph}", rows, 30_000_000)
    assert len(server.requests) == 3
    assert len(server.regions) == (1 if way else 0)
    remote.close()
    connection.close()
    assert not server.regions


def test_the_timeout_for_the_servers_queue_is_the_deadline(
    server: MadeServer, shipped_bundle: Bundle, vectors: Any, patience: Patience
) -> None:
    remote = RemoteGraph(Connection(parse(server.address)), shipped_bundle, "fusion", patience)
    with patience.live(0.5):
        remote(inputs_of(shipped_bundle, vectors, "fusion", 1))
    assert server.requests == [("foal-nano.fusion", 1, 250_000)]


@pytest.mark.parametrize("way", ["", "?memory=shared"])
def test_a_missing_output_is_named(
    server: MadeServer, shipped_bundle: Bundle, vectors: Any, patience: Patience, way: str
) -> None:
    server.left_out = "logits"
    remote = RemoteGraph(Connection(parse(server.address + way)), shipped_bundle, "fusion", patience)
    with pytest.raises(EngineError, match=r"the output logits of foal-nano\.fusion at triton://.* is missing, float32"):
        remote(inputs_of(shipped_bundle, vectors, "fusion", 2))


def test_memory_that_the_server_cannot_see_is_said(
    server: MadeServer, shipped_bundle: Bundle, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.edge.backends.triton.made_server.SharedMemory", lambda _: (_ for _ in ()).throw(FileNotFoundError)
    )
    connection = Connection(parse(f"{server.address}?memory=shared"))
    with pytest.raises(EngineError, match=r"takes no shared memory \(.*Unable to open.*--ipc=host"):
        RemoteGraph(connection, shipped_bundle, "fusion", patience)
