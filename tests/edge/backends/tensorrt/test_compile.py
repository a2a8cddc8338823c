"""Compiling for a GPU that is not here, with the real TensorRT-RTX: what is built, told, refused and stopped."""

import logging
import weakref
from pathlib import Path

import numpy as np
import pytest

from edge.backends.tensorrt.compile import compile_graph
from edge.backends.tensorrt.platform import TensorRTVariant
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import Batch, File, GraphEntry, Tensor
from edge.errors import EngineError
from tests.edge.backends.tensorrt.made_engines import Followed

onnx = pytest.importorskip("onnx", reason="onnx makes the graphs of these tests")
ROWS = Tensor("x", "float32", ["batch", 4])
COLUMNS = Tensor("y", "float32", ["batch", 4])
FILE = File("made.onnx", "0" * 64)
ENTRY = GraphEntry(FILE, None, "fp32", [], 1e-3, Batch(2, 4), [ROWS], [COLUMNS])


@pytest.fixture(scope="module")
def shipped_bundle() -> Bundle:
    return load(SHIPPED)


def model(operator: str, domain: str = "", *, matrix: bool = False) -> bytes:
    """`y = operator(x)`, or of x and a matrix."""
    of = onnx.TensorProto.FLOAT
    values = [onnx.numpy_helper.from_array(np.eye(4, dtype=np.float32), "matrix")] if matrix else []
    node = onnx.helper.make_node(operator, ["x", *(value.name for value in values)], ["y"], domain=domain)
    sides = [[onnx.helper.make_tensor_value_info(name, of, ["batch", 4])] for name in ("x", "y")]
    graph = onnx.helper.make_graph([node], "made", *sides, values)
    sets = [onnx.helper.make_opsetid("", 17), *([onnx.helper.make_opsetid(domain, 1)] if domain else [])]
    return bytes(onnx.helper.make_model(graph, opset_imports=sets, ir_version=9).SerializeToString())


@pytest.fixture
def made(tmp_path: Path) -> Path:
    (tmp_path / "made.onnx").write_bytes(model("Relu"))
    return tmp_path / "made.onnx"


def refused_message(rtx: TensorRTVariant, file: Path, capability: str = "8.6", entry: GraphEntry = ENTRY) -> str:
    with pytest.raises(EngineError) as refused:
        compile_graph(rtx, file, entry, capability, b"", Followed())
    return str(refused.value)


@pytest.fixture(scope="module")
def followed() -> Followed:
    return Followed()


@pytest.fixture(scope="module")
def engine(rtx: TensorRTVariant, shipped_bundle: Bundle, followed: Followed) -> bytes:
    """Of foal-nano's image encoder."""
    entry = shipped_bundle.manifest.graphs.image_encoder
    compiled = compile_graph(rtx, shipped_bundle.path(entry.file), entry, "8.6", b"", followed)
    assert compiled.timings == b""
    return bytes(compiled.engine)


def test_an_engine_holds_the_weights_of_its_graph(engine: bytes, shipped_bundle: Bundle) -> None:
    file = shipped_bundle.path(shipped_bundle.manifest.graphs.image_encoder.file)
    assert 0.5 < len(engine) / file.stat().st_size < 2
    assert engine.startswith(b"vtrt")


def test_phases_are_told_well_nested_with_rising_steps(engine: bytes, followed: Followed) -> None:
    running: dict[str, tuple[int, int]] = {}
    depths, parents = [], {}
    for kind, phase, value in followed.events:
        if kind == "begin":
            parent, steps = value
            assert phase not in running
            assert parent is None or parent in running
            assert steps > 0
            running[phase], parents[phase] = (steps, 0), parent
            depths.append(len(running))
        elif kind == "step":
            steps, before = running[phase]
            assert before < value <= steps
            running[phase] = (steps, value)
        else:
            assert phase not in {parents[other] for other in running}
            del running[phase]
    assert running == {}
    assert max(depths) >= 3


def test_an_engine_is_for_one_capability(rtx: TensorRTVariant, made: Path) -> None:
    first, second = (bytes(compile_graph(rtx, made, ENTRY, each, b"", Followed()).engine) for each in ("8.6", "12.0"))
    assert first != second


@pytest.mark.parametrize(
    ("content", "quoted"),
    [
        pytest.param(model("Relu")[:-9], "Failed to parse the ONNX model", id="cut-off"),
        pytest.param(b"no graph", "Failed to parse the ONNX model", id="noise"),
        pytest.param(model("Det"), "operator: Det (checkDet): UNSUPPORTED_NODE", id="unsupported"),
        pytest.param(model("Frobnicate", "made.here"), "Plugin not found", id="custom"),
    ],
)
def test_a_graph_that_tensorrt_cannot_read_is_named_and_it_quoted(
    rtx: TensorRTVariant, made: Path, content: bytes, quoted: str
) -> None:
    made.write_bytes(content)
    message = refused_message(rtx, made)
    assert message.startswith(f"tensorrt-rtx {rtx.version} cannot read {made}: ")
    assert quoted in message
    assert message.endswith("; take --backend onnxruntime")


def test_a_graph_that_is_missing_is_named(rtx: TensorRTVariant, tmp_path: Path) -> None:
    assert f"cannot read {tmp_path}/none.onnx: " in refused_message(rtx, tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("name", "size", "quoted"),
    [
        ("z", 4, "Dynamic input tensor x is missing dimensions in profile 0"),
        ("x", 5, "profile has min=5, opt=5, max=5 but tensor has 4"),
    ],
)
def test_tensors_that_are_not_the_graphs_are_quoted(
    rtx: TensorRTVariant, made: Path, name: str, size: int, quoted: str
) -> None:
    entry = GraphEntry(FILE, None, "fp32", [], 1e-3, Batch(1, 2), [Tensor(name, "float32", ["batch", size])], [])
    message = refused_message(rtx, made, entry=entry)
    assert message.startswith(f"tensorrt-rtx {rtx.version} cannot build {made} for sm86: ")
    assert quoted in message
    assert message.endswith("; take --backend onnxruntime")


def test_an_fp32_product_for_turing_names_fp16_as_the_remedy(rtx: TensorRTVariant, made: Path) -> None:
    made.write_bytes(model("MatMul", matrix=True))
    assert compile_graph(rtx, made, ENTRY, "8.6", b"", Followed()).engine
    message = refused_message(rtx, made, "7.5")
    assert f"cannot build {made} for sm75: " in message
    assert message.endswith("no fp32 matrix product for Turing (7.5): export with --precision fp16")


@pytest.mark.parametrize("patience", [1, 2, 60])
def test_an_observer_that_says_no_ends_the_build(rtx: TensorRTVariant, shipped_bundle: Bundle, patience: int) -> None:
    entry, progress = shipped_bundle.manifest.graphs.image_encoder, Followed(patience)
    with pytest.raises(KeyboardInterrupt):
        compile_graph(rtx, shipped_bundle.path(entry.file), entry, "8.6", b"", progress)
    assert sum(kind == "begin" for kind, *_ in progress.events) == sum(kind == "end" for kind, *_ in progress.events)


class Failing(Followed):
    """An observer whose third call of one kind raises."""

    def __init__(self, where: str, error: BaseException) -> None:
        super().__init__()
        self.where, self.error, self.left = where, error, 3

    def fail(self, where: str) -> None:
        self.left -= where == self.where
        if not self.left:
            raise self.error

    def begin(self, phase: str, parent: str | None, steps: int) -> None:
        self.fail("begin")

    def step(self, phase: str, done: int) -> bool:
        self.fail("step")
        return True

    def end(self, phase: str) -> None:
        self.fail("end")


@pytest.mark.parametrize("where", ["begin", "step", "end"])
@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), RuntimeError("the bar broke"), SystemExit(3)],
)
def test_what_an_observer_raises_ends_the_build(
    rtx: TensorRTVariant, shipped_bundle: Bundle, where: str, error: BaseException, capfd
) -> None:
    entry = shipped_bundle.manifest.graphs.image_encoder
    with pytest.raises(type(error)) as raised:
        compile_graph(rtx, shipped_bundle.path(entry.file), entry, "8.6", b"", Failing(where, error))
    assert raised.value is error
    assert capfd.readouterr() == ("", "")


def test_what_tensorrt_says_is_for_the_debug_log_alone(rtx: TensorRTVariant, made: Path, caplog, capfd) -> None:
    with caplog.at_level(logging.DEBUG, "edge.backends.tensorrt.compile"):
        compile_graph(rtx, made, ENTRY, "8.6", b"", Followed())
    assert caplog.records
    assert {record.levelname for record in caplog.records} == {"DEBUG"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("answer", [True, False])
def test_nothing_of_tensorrts_outlives_a_build_with_its_error(
    rtx: TensorRTVariant, made: Path, monkeypatch, answer: bool
) -> None:
    """Collected within the next build's logger, a builder would wait for the lock that this one holds."""
    builders = []
    make = rtx.module.Builder

    def watched(logger: object) -> object:
        builder = make(logger)
        builders.append(weakref.ref(builder))
        return builder

    monkeypatch.setattr(rtx.module, "Builder", watched)
    if not answer:
        made.write_bytes(b"no graph")
    with pytest.raises(KeyboardInterrupt if answer else EngineError) as ended:
        compile_graph(rtx, made, ENTRY, "8.6", b"", Failing("step", KeyboardInterrupt()))
    assert ended.value is not None
    assert [builder() for builder in builders] == [None]
