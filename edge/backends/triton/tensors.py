"""Tensors on their way to a server and back: in the requests themselves, or in memory that both share."""

from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Protocol

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput

from ...bundle.manifest import GraphEntry, Tensor
from ...errors import EngineError
from ..base import Array
from .connection import Connection
from .names import DATATYPES, row_shape

ALIGNMENT = 64
"""Bytes to whose multiple the place of a tensor is rounded."""


class Carrier(Protocol):
    """Way of one graph's tensors to a server and back."""

    def send(self, inputs: Mapping[str, Array], rows: int) -> tuple[list[InferInput], list[InferRequestedOutput]]:
        """Return what a request says of its inputs and outputs."""
        ...

    def receive(self, name: str, result: Any, shape: tuple[int, ...], dtype: str) -> Array | None:
        """Return an output of a result; None where it is missing."""
        ...

    def close(self) -> None:
        """Give back what the server and this process hold."""
        ...


class InlineCarrier:
    """Tensors inside the requests and the results."""

    def __init__(self, entry: GraphEntry) -> None:
        self._entry = entry

    def send(self, inputs: Mapping[str, Array], rows: int) -> tuple[list[InferInput], list[InferRequestedOutput]]:
        """Return the inputs with their content, and the outputs by name."""
        sent = [describe_input(tensor, rows) for tensor in self._entry.inputs]
        for asked, tensor in zip(sent, self._entry.inputs, strict=True):
            asked.set_data_from_numpy(inputs[tensor.name].reshape(rows, *row_shape(tensor)))
        return sent, [InferRequestedOutput(tensor.name) for tensor in self._entry.outputs]

    def receive(self, name: str, result: Any, shape: tuple[int, ...], dtype: str) -> Array | None:
        """Return an output of a result; None where it is missing."""
        found: Array | None = result.as_numpy(name)
        return found

    def close(self) -> None:
        """Do nothing."""


class SharedCarrier:
    """Tensors in a region of memory, of which the requests and the results only say where in it they lie."""

    def __init__(self, connection: Connection, name: str, entry: GraphEntry, deadline_s: float) -> None:
        """Make a region for the largest batch and register it with the server; EngineError where it cannot reach it."""
        self._connection, self._entry = connection, entry
        self._places, size = places([*entry.inputs, *entry.outputs], entry.batch.largest)
        self._memory = SharedMemory(create=True, size=size)
        self._region = f"{self._memory.name}.{name}"
        try:
            key = f"/{self._memory.name.removeprefix('/')}"
            connection.ask("register_system_shared_memory", self._region, key, size, deadline_s=deadline_s)
        except EngineError as error:
            self._memory.close()
            raise type(error)(
                f"{connection.address.text} takes no shared memory ({error.what})",
                "it must run on this machine and see its /dev/shm (docker run --ipc=host); or leave out memory=shared",
            ) from error
        finally:
            self._memory.unlink()  # both have it open now, and nothing is left of it if either is killed

    def send(self, inputs: Mapping[str, Array], rows: int) -> tuple[list[InferInput], list[InferRequestedOutput]]:
        """Write the inputs into the region; return where they lie, and where the outputs shall."""
        sent = [describe_input(tensor, rows) for tensor in self._entry.inputs]
        for asked, tensor in zip(sent, self._entry.inputs, strict=True):
            array = self._view(tensor.name, (rows, *tensor_shape(tensor)), tensor.dtype)
            array[...] = inputs[tensor.name]
            asked.set_shared_memory(self._region, array.nbytes, self._places[tensor.name])
        outputs = [InferRequestedOutput(tensor.name) for tensor in self._entry.outputs]
        for output, tensor in zip(outputs, self._entry.outputs, strict=True):
            output.set_shared_memory(self._region, row_bytes(tensor) * rows, self._places[tensor.name])
        return sent, outputs

    def receive(self, name: str, result: Any, shape: tuple[int, ...], dtype: str) -> Array | None:
        """Return a copy of an output; None where the result does not name it."""
        return self._view(name, shape, dtype).copy() if result.get_output(name) is not None else None

    def close(self) -> None:
        """Let the server forget the region, if it can be asked, and close it."""
        with suppress(EngineError):
            self._connection.ask("unregister_system_shared_memory", self._region, deadline_s=1.0)
        self._memory.close()

    def _view(self, name: str, shape: tuple[int, ...], dtype: str) -> Array:
        view: Array = np.ndarray(shape, dtype, self._memory.buf, self._places[name])
        return view


def describe_input(tensor: Tensor, rows: int) -> InferInput:
    """Return what a request says of an input, without its content."""
    return InferInput(tensor.name, [rows, *row_shape(tensor)], DATATYPES[tensor.dtype])


def tensor_shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of one row as the manifest has it."""
    return tuple(int(size) for size in tensor.shape[1:])


def row_bytes(tensor: Tensor) -> int:
    """Return the number of bytes of one row."""
    return int(np.prod(row_shape(tensor))) * np.dtype(tensor.dtype).itemsize


def places(tensors: list[Tensor], rows: int) -> tuple[dict[str, int], int]:
    """Return where each tensor lies in a region for batches of so many rows, and the region's size, in bytes."""
    found, end = {}, 0
    for tensor in tensors:
        found[tensor.name] = end
        end += -(-row_bytes(tensor) * rows // ALIGNMENT) * ALIGNMENT
    return found, end
