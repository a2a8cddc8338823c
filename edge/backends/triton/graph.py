"""One graph on a server, by one connection: a batch is one request."""

import math
from collections.abc import Mapping

from ...bundle.load import Bundle
from ...bundle.manifest import GraphName, Tensor
from ...errors import EngineError
from ..base import Array
from ..patience import Patience
from .connection import Connection
from .names import model_name, model_version
from .tensors import Carrier, InlineCarrier, SharedCarrier, tensor_shape


class RemoteGraph:
    """One graph as a model of a server."""

    device_ms = None
    """Time on a device: None, as the server does not tell."""

    def __init__(self, connection: Connection, bundle: Bundle, graph: GraphName, patience: Patience) -> None:
        """Prepare the requests; EngineError where the server takes no shared memory and the address asks for it."""
        self._connection, self._patience = connection, patience
        self._entry = bundle.manifest.graphs.by_name()[graph]
        self._model, self._version = model_name(bundle.manifest, graph), str(model_version(bundle.manifest))
        self._carrier: Carrier = InlineCarrier(self._entry)
        if connection.address.shares_memory:
            self._carrier = SharedCarrier(connection, graph, self._entry, patience.request_s)

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; UnansweredError where none come in time, EngineError where they are refused."""
        rows, deadline_s = len(next(iter(inputs.values()))), self._patience.request_s
        sent, outputs = self._carrier.send(inputs, rows)
        result = self._connection.ask(
            "infer",
            self._model,
            sent,
            self._version,
            outputs,
            timeout=round(deadline_s * 1e6),  # for the server's queue, in microseconds
            deadline_s=deadline_s,
        )
        return {tensor.name: self._output(tensor, result, rows) for tensor in self._entry.outputs}

    def _output(self, tensor: Tensor, result: object, rows: int) -> Array:
        """Return an output in the manifest's shape; EngineError where the server gives another one, or none."""
        shape = (rows, *tensor_shape(tensor))
        found = self._carrier.receive(tensor.name, result, shape, tensor.dtype)
        if found is None or found.dtype != tensor.dtype or found.shape[:1] != (rows,) or found.size != math.prod(shape):
            described = "is missing" if found is None else f"is {found.dtype} {list(found.shape)}"
            raise EngineError(
                f"the output {tensor.name} of {self._model} at {self._connection.address.text} {described}, "
                f"{tensor.dtype} {list(shape)} is expected",
                "export the bundle again: python -m export triton",
            )
        return found.reshape(shape)

    def close(self) -> None:
        """Give back shared memory, if any."""
        self._carrier.close()
