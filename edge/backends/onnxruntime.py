"""Backend of ONNX Runtime on the CPU, which runs everywhere."""

import io
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import numpy as np

from ..bundle.load import Bundle
from ..bundle.manifest import GraphEntry, Tensor, sizes
from ..errors import BundleError, EngineError
from ..system.resources import exhaustion
from .base import Array

# ONNX Runtime reports its use over the network unless told not to before it is imported; two versions, two names
os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["ORT_TELEMETRY_DISABLED"] = "1"
import onnxruntime as ort

if not hasattr(ort, "InferenceSession"):  # what is left where one of two packages in one folder was removed
    raise EngineError(
        f"ONNX Runtime does not load, its folder is incomplete ({ort})",
        "pip install --force-reinstall --no-deps onnxruntime, or onnxruntime-gpu in its place (docs/cuda.md)",
    )

VERSION = str(ort.__version__)
LARGEST_CONSTANT_BYTES = 1 << 26
"""Size of a tensor up to which it is computed while a graph loads, if it is constant."""
PROVIDERS = ["CPUExecutionProvider"]
"""Execution providers, without a fallback: it would be the same one again, told on stdout."""
SMALL_GRAPH_BYTES = 16 << 20
"""Size of a graph below which one core computes it unless more are asked for: several spend a tenth more CPU time of
the whole program on waiting for one another, for a gain of milliseconds (docs/experiments.md, 2026-11-30)."""
ROWS_AT_ONCE = 4
"""Rows of a batch that are computed together: more are no quicker on a CPU, and what they take between the operators is
kept for the next batch, 2 MB for each stream (docs/experiments.md, 2026-11-30)."""
SLOWER_OPTIMIZERS = ["SkipLayerNormFusion"]
"""Optimizers that are left out: an addition and a LayerNorm in one operator take longer than the two."""
DTYPES = {"tensor(uint8)": "uint8", "tensor(bool)": "bool", "tensor(int64)": "int64", "tensor(float)": "float32"}
"""Names of ONNX Runtime's types in the manifest."""


class OrtGraph:
    """One graph in a session of its own."""

    device_ms = None
    """Time on a device: None, as the host computes."""

    def __init__(self, bundle: Bundle, entry: GraphEntry, threads: int, *, tuned: bool) -> None:
        self._path = path = bundle.path(entry.file)
        files = [entry.file] if entry.weights is None else [entry.file, entry.weights]
        size = sum(bundle.path(file).stat().st_size for file in files)
        self.threads = (threads or default_threads(size)) if tuned else os.cpu_count() or 1
        """Number of cores that compute the graph."""
        self._rows = ROWS_AT_ONCE if tuned else entry.batch.largest
        self._session = (
            open_session(path, graph_options(self.threads), SLOWER_OPTIMIZERS) if tuned else open_session(path)
        )
        check_tensors(str(path), "inputs", entry.inputs, self._session.get_inputs())
        check_tensors(str(path), "outputs", entry.outputs, self._session.get_outputs())
        self._outputs = [tensor.name for tensor in entry.outputs]

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; EngineError where ONNX Runtime fails."""
        rows = len(next(iter(inputs.values())))
        if rows <= self._rows:
            return self._run(inputs)
        starts = range(0, rows, self._rows)
        parts = [self._run({name: array[i : i + self._rows] for name, array in inputs.items()}) for i in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs of rows that are computed together."""
        try:
            outputs = self._session.run(self._outputs, dict(inputs))
        except Exception as error:  # onnxruntime's errors share no base class
            raise exhaustion(error) or EngineError(
                f"{self._path} failed in ONNX Runtime {ort.__version__} on the CPU: {error}", "run `foal-edge doctor`"
            ) from error
        return dict(zip(self._outputs, outputs, strict=True))


class OrtBackend:
    """A bundle's three graphs on the CPU, each on `threads` cores (0: one for a small graph, else all)."""

    name = "onnxruntime-cpu"

    def __init__(self, bundle: Bundle, threads: int = 0, *, tuned: bool = True) -> None:
        """Load the graphs; where not `tuned`, with ONNX Runtime's defaults, whose threads spin on after each run."""
        graphs = bundle.manifest.graphs
        self.image_encoder = OrtGraph(bundle, graphs.image_encoder, threads, tuned=tuned)
        self.audio_encoder = OrtGraph(bundle, graphs.audio_encoder, threads, tuned=tuned)
        self.fusion = OrtGraph(bundle, graphs.fusion, threads, tuned=tuned)
        most = max(graph.threads for graph in (self.image_encoder, self.audio_encoder, self.fusion))
        self.about = f"{processor()}, {most} thread{'s' if most > 1 else ''}"

    def save_compiled(self) -> None:
        """Do nothing: ONNX Runtime compiles nothing for the device."""


def probe(_bundle: Bundle) -> str:
    """Return what makes ONNX Runtime usable: it is installed with this program and needs no device."""
    return f"ONNX Runtime {VERSION} is here"


def open_backend(bundle: Bundle, threads: int, _engine_builder: object) -> OrtBackend:
    """Load the bundle's graphs on so many cores, 0 for what suits each; BundleError where ONNX Runtime refuses one."""
    return OrtBackend(bundle, threads)


def exact_options() -> ort.SessionOptions:
    """Return ONNX Runtime's default options, but for one: products are computed as precisely as the graph says."""
    options = ort.SessionOptions()
    # 1 is fp32; by default a product of weights that alone are quantised rounds its other factor to 8 bits too
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return options


def default_threads(size: int) -> int:
    """Return the number of cores that suit a graph of so many bytes where none is asked for."""
    return 1 if size < SMALL_GRAPH_BYTES else os.cpu_count() or 1


def session_options(threads: int) -> ort.SessionOptions:
    """Return the options of a session on so many cores (0: all), whose threads spin during a run only."""
    options = exact_options()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what is an error is raised, and stderr is the log's
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # a session computes what is constant while it loads, before its tensors can be compared with the manifest
    options.add_session_config_entry(
        "optimization.constant_folding_max_output_size_in_bytes", str(LARGEST_CONSTANT_BYTES)
    )
    return options


def graph_options(threads: int) -> ort.SessionOptions:
    """Return the options of a bundle's graph on so many cores, which keeps little memory between its runs."""
    share_arena()
    options = session_options(threads)
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False  # else each size of a batch keeps a block of its own
    return options


@cache
def share_arena() -> None:
    """Let sessions share one arena, as one graph runs after the other; each would keep its own."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, None)


def processor() -> str:
    """Return the CPU's own name, or its architecture where the system names none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.machine()


def open_session(
    model: Path | bytes, options: ort.SessionOptions | None = None, left_out: Sequence[str] = ()
) -> ort.InferenceSession:
    """Open a session on the CPU for a graph, given as a file or as bytes; BundleError where ONNX Runtime refuses it.

    Of its optimizers those that are `left_out` do not run.
    """
    try:
        return make_session(model, options or exact_options(), PROVIDERS, left_out)
    except Exception as error:  # onnxruntime's errors share no base class
        name = model if isinstance(model, Path) else "a graph of its own"
        raise exhaustion(error) or BundleError(
            f"{name} does not load in ONNX Runtime {ort.__version__}: {error}; "
            "update onnxruntime, take the bundle again or export it again"
        ) from error


def make_session(
    model: Path | bytes,
    options: ort.SessionOptions,
    providers: Sequence[str | tuple[str, dict[str, str]]],
    left_out: Sequence[str] = (),
) -> ort.InferenceSession:
    """Make a session on these providers, each with its options if it has any; ONNX Runtime's own errors."""
    content = str(model) if isinstance(model, Path) else model
    # before it knew `enable_fallback`, ONNX Runtime's wrapper tells of its second attempt on stdout
    with redirect_stdout(io.StringIO()):
        return ort.InferenceSession(
            content, options, providers=providers, enable_fallback=0, disabled_optimizers=list(left_out)
        )


def check_tensors(path: str, side: str, expected: list[Tensor], found: list[ort.NodeArg]) -> None:
    """Raise BundleError unless the graph's own tensors are those of the manifest."""
    expected_tensors = [(tensor.name, tensor.dtype, sizes(tensor.shape)) for tensor in expected]
    found_tensors = [(tensor.name, DTYPES.get(tensor.type, tensor.type), sizes(tensor.shape)) for tensor in found]
    if found_tensors != expected_tensors:
        raise BundleError(
            f"{path} has {side} {found_tensors}, the manifest says {expected_tensors}; export the checkpoint again"
        )
