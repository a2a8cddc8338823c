"""An engine whose tensors or batches are not the manifest's is refused."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from edge.backends.tensorrt.graph import check_tensors
from edge.bundle.manifest import Batch, File, GraphEntry, Tensor
from edge.errors import EngineError
from tests.edge.backends.tensorrt.made_tensorrt import DataType, TensorIOMode, nptype

IN, OUT = TensorIOMode.INPUT, TensorIOMode.OUTPUT
ENTRY = GraphEntry(
    File("audio_encoder.onnx", "0" * 64), None, "fp32", [], 1e-3, Batch(1, 8),
    [Tensor("waveform", "float32", ["batch", 2000]), Tensor("length", "int64", ["batch"])],
    [Tensor("tokens", "float32", ["batch", 4, 2]), Tensor("mask", "bool", ["batch", 4])],
)  # fmt: skip
TENSORS = {
    "mask": (OUT, DataType.BOOL, (-1, 4)),
    "waveform": (IN, DataType.FLOAT, (-1, 2000)),
    "tokens": (OUT, DataType.FLOAT, (-1, 4, 2)),
    "length": (IN, DataType.INT64, (-1,)),
}


class Trt:
    TensorIOMode = TensorIOMode
    nptype = staticmethod(nptype)


@dataclass
class Engine:
    tensors: dict[str, Any]
    largest: dict[str, int] = field(default_factory=lambda: {"waveform": 8, "length": 8})

    def __post_init__(self) -> None:
        self.num_io_tensors = len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_mode(self, name: str) -> Any:
        return self.tensors[name][0]

    def get_tensor_dtype(self, name: str) -> Any:
        return self.tensors[name][1]

    def get_tensor_shape(self, name: str) -> Any:
        return [*self.tensors[name][2]]  # a sequence that is no tuple, as TensorRT's

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[Any]:
        return [[rows, *self.tensors[name][2][1:]] for rows in (1, 1, self.largest[name])]


def test_an_engine_of_the_manifests_tensors_in_any_order_passes() -> None:
    check_tensors(Trt, Engine(TENSORS), "audio_encoder", ENTRY)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param({"length": (IN, DataType.FLOAT, (-1,))}, "('length', 'float32', (-1,))", id="dtype"),
        pytest.param(
            {"tokens": (OUT, DataType.BF16, (-1, 4, 2))}, "('tokens', 'DataType.BF16', (-1, 4, 2))", id="bf16"
        ),
        pytest.param({"tokens": (OUT, DataType.FLOAT, (-1, 4, 3))}, "('tokens', 'float32', (-1, 4, 3))", id="size"),
        pytest.param({"mask": (OUT, DataType.BOOL, (-1, 4, 1))}, "('mask', 'bool', (-1, 4, 1))", id="rank"),
        pytest.param({"waveform": (IN, DataType.FLOAT, (1, 2000))}, "('waveform', 'float32', (1, 2000))", id="batch"),
        pytest.param({"mask": (IN, DataType.BOOL, (-1, 4))}, "('mask', 'bool', (-1, 4))", id="side"),
        pytest.param({"more": (OUT, DataType.FLOAT, (-1,))}, "('more', 'float32', (-1,))", id="surplus"),
        pytest.param({"tokens": None}, "the engine of audio_encoder has {('mask', 'bool', (-1, 4))}", id="lacking"),
    ],
)
def test_a_tensor_that_is_not_the_manifests_is_named(changed: dict, named: str) -> None:
    tensors = {name: tensor for name, tensor in {**TENSORS, **changed}.items() if tensor}
    with pytest.raises(EngineError) as refused:
        check_tensors(Trt, Engine(tensors), "audio_encoder", ENTRY)
    message = str(refused.value)
    assert message.startswith("the engine of audio_encoder has ")
    assert named in message
    assert ", the manifest says {" in message


@pytest.mark.parametrize(("name", "largest"), [("waveform", 4), ("length", 9)])
def test_a_largest_batch_that_is_not_the_manifests_is_named(name: str, largest: int) -> None:
    engine = Engine(TENSORS, {"waveform": 8, "length": 8, name: largest})
    with pytest.raises(EngineError, match=rf"^the engine of audio_encoder takes {largest} rows, the manifest says 8"):
        check_tensors(Trt, engine, "audio_encoder", ENTRY)
