"""A server of the protocol on a socket of its own, made of the client's stubs: it computes by ONNX Runtime.

Its models are those of a repository that the export wrote. It can be held, made to refuse or to compute wrongly,
stopped, and started again at the same port.
"""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import pytest

grpc = pytest.importorskip("grpc", reason="pip install 'foal-edge[triton]'")
pytest.importorskip("tritonclient.grpc", reason="pip install 'foal-edge[triton]'")
from google.protobuf import text_format  # noqa: E402
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc  # noqa: E402

from edge.backends.base import Backend, get_graph  # noqa: E402
from edge.bundle.load import Bundle  # noqa: E402

NUMPY = {"UINT8": "uint8", "BOOL": "bool", "INT64": "int64", "FP32": "float32"}


class MadeServer(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Serves the models in a repository; `requests` keeps the model, the rows and the timeout in µs of each request."""

    name, version = "triton", "2.51.0"

    def __init__(self, bundle: Bundle, backend: Backend, repository: Path) -> None:
        self.bundle, self.backend = bundle, backend
        self.configs: dict[str, Any] = {
            path.parent.name: text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
            for path in repository.glob("*/config.pbtxt")
        }
        self.versions = {path.name for path in repository.glob("*/*") if path.is_dir()}
        self.state = "READY"
        self.requests: list[tuple[str, int, int]] = []
        self.refusal: tuple[Any, str] | None = None
        self.offset = 0.0
        """Added to what is computed."""
        self.left_out = ""
        """Output that results lack."""
        self.port = 0
        self.regions: dict[str, SharedMemory] = {}
        self._may_answer = threading.Event()
        self._may_answer.set()
        self._server: Any = None

    def start(self, credentials: Any = None) -> "MadeServer":
        """Listen, at the same port as before if there was one."""
        self._server = grpc.server(ThreadPoolExecutor(4))
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        address = f"127.0.0.1:{self.port}"
        add = self._server.add_insecure_port
        self.port = self._server.add_secure_port(address, credentials) if credentials else add(address)
        self._server.start()
        return self

    def stop(self) -> None:
        """Break all connections and listen no more."""
        self._may_answer.set()
        self._server.stop(0).wait()
        for region in self.regions.values():
            region.close()
        self.regions.clear()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no request be answered in this context; those that wait are answered after it, to whoever still cares."""
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    @property
    def address(self) -> str:
        return f"triton://127.0.0.1:{self.port}"

    def has(self, request: Any) -> bool:
        known = request.name in self.configs and request.version in self.versions
        return known and self.state == "READY"

    def ServerMetadata(self, request: Any, context: Any) -> Any:
        return service_pb2.ServerMetadataResponse(name=self.name, version=self.version)

    def ModelReady(self, request: Any, context: Any) -> Any:
        return service_pb2.ModelReadyResponse(ready=self.has(request))

    def ModelMetadata(self, request: Any, context: Any) -> Any:
        config, metadata = self.configs[request.name], service_pb2.ModelMetadataResponse(name=request.name)
        for found, told in ((config.input, metadata.inputs), (config.output, metadata.outputs)):
            for tensor in found:
                datatype = model_config_pb2.DataType.Name(tensor.data_type).removeprefix("TYPE_")
                told.add(name=tensor.name, datatype=datatype, shape=[-1, *tensor.dims])
        return metadata

    def ModelConfig(self, request: Any, context: Any) -> Any:
        return service_pb2.ModelConfigResponse(config=self.configs[request.name])

    def RepositoryIndex(self, request: Any, context: Any) -> Any:
        index = service_pb2.RepositoryIndexResponse()
        for name in self.configs:
            for version in sorted(self.versions):
                index.models.add(name=name, version=version, state=self.state)
        return index

    def SystemSharedMemoryRegister(self, request: Any, context: Any) -> Any:
        try:
            self.regions[request.name] = SharedMemory(request.key.removeprefix("/"))
        except FileNotFoundError:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unable to open shared memory region: '{request.key}'")
        return service_pb2.SystemSharedMemoryRegisterResponse()

    def SystemSharedMemoryUnregister(self, request: Any, context: Any) -> Any:
        self.regions.pop(request.name).close()
        return service_pb2.SystemSharedMemoryUnregisterResponse()

    def ModelInfer(self, request: Any, context: Any) -> Any:
        self.requests.append(
            (request.model_name, request.inputs[0].shape[0], request.parameters["timeout"].int64_param)
        )
        self._may_answer.wait()
        if self.refusal:
            context.abort(*self.refusal)
        graph = request.model_name.rpartition(".")[2]
        inputs = dict(zip([each.name for each in request.inputs], self.arrays_of(request), strict=True))
        specs = self.bundle.manifest.graphs.by_name()[graph].inputs
        shaped = {each.name: inputs[each.name].reshape(-1, *each.shape[1:]) for each in specs}
        return self.response(request, get_graph(self.backend, graph)(shaped))

    def arrays_of(self, request: Any) -> Iterator[Any]:
        """The inputs of a request, from itself or from shared memory."""
        contents = iter(request.raw_input_contents)
        for each in request.inputs:
            dtype, shape = np.dtype(NUMPY[each.datatype]), list(each.shape)
            if "shared_memory_region" in each.parameters:
                buffer = self.regions[each.parameters["shared_memory_region"].string_param].buf
                offset = each.parameters["shared_memory_offset"].int64_param
                yield np.ndarray(shape, dtype, buffer, offset).copy()
            else:
                yield np.frombuffer(next(contents), dtype).reshape(shape)

    def response(self, request: Any, outputs: Mapping[str, Any]) -> Any:
        """The outputs that a request asks for, in itself or in shared memory."""
        answer = service_pb2.ModelInferResponse(model_name=request.model_name, model_version=request.model_version)
        for asked in request.outputs:
            if asked.name == self.left_out:
                continue
            array = outputs[asked.name] + np.float32(self.offset)
            told = answer.outputs.add(name=asked.name, datatype="FP32", shape=array.shape)
            if "shared_memory_region" in asked.parameters:
                told.parameters["shared_memory_region"].string_param = asked.parameters[
                    "shared_memory_region"
                ].string_param
                buffer = self.regions[told.parameters["shared_memory_region"].string_param].buf
                np.ndarray(array.shape, array.dtype, buffer, asked.parameters["shared_memory_offset"].int64_param)[
                    :
                ] = array
            else:
                answer.raw_output_contents.append(array.tobytes())
        return answer
