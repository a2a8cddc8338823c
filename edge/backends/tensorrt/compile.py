"""Compilation of a graph to an engine, with either TensorRT: strongly typed, so the precision is the graph's own."""

import gc
import logging
from collections.abc import Callable, Collection, Iterator, MutableSequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ...bundle.manifest import GraphEntry
from ...errors import EngineError
from .platform import TensorRTVariant, architecture

TURING = "7.5"
"""Compute capability of Turing."""
ERRORS_QUOTED = 3
"""Number of TensorRT's messages in an error."""
REMEDY = "take --backend onnxruntime"

log = logging.getLogger(__name__)


class BuildProgress(Protocol):
    """Observer of a build, which may take minutes; called from TensorRT's threads."""

    def begin(self, phase: str, parent: str | None, steps: int) -> None:
        """Note that a phase of so many steps begins, perhaps inside another one."""
        ...

    def step(self, phase: str, done: int) -> bool:
        """Note that so many of a phase's steps are done; return False to end the build."""
        ...

    def end(self, phase: str) -> None:
        """Note that a phase is over, whether or not all its steps were done."""
        ...


class CompiledEngine(NamedTuple):
    """An engine, and the timings that were taken while it was built."""

    engine: memoryview
    timings: bytes
    """Timing cache for the next build on the same device; empty where there is none."""


def compile_graph(
    variant: TensorRTVariant,
    file: Path,
    entry: GraphEntry,
    capability: str | None,
    timings: bytes,
    progress: BuildProgress,
) -> CompiledEngine:
    """Build an engine for batches from 1 to the entry's largest.

    `capability`, e.g. `8.6`, is that of another device than this machine's (TensorRT-RTX alone can build for one);
    None stands for this machine's. `timings` is the timing cache of earlier builds, or empty. EngineError quotes
    TensorRT where it refuses the graph; KeyboardInterrupt where `progress` ends the build.
    """
    with garbage_collection_off():
        result = build(variant, file, entry, capability, timings, progress)
    if result.interruptions:
        raise result.interruptions[0]
    if result.compiled is None:
        raise build_error(variant, file, capability, result)
    return result.compiled


class BuildResult(NamedTuple):
    """Result of a build, whether or not it succeeded."""

    compiled: CompiledEngine | None
    errors: list[str]
    """Messages of TensorRT."""
    interruptions: list[BaseException]
    """Exceptions of the build's observer, which end the build."""
    is_read: bool
    """True if TensorRT could read the graph at all."""


def build(
    variant: TensorRTVariant,
    file: Path,
    entry: GraphEntry,
    capability: str | None,
    timings: bytes,
    progress: BuildProgress,
) -> BuildResult:
    """Build an engine and raise nothing: an error's traceback would keep TensorRT's objects alive."""
    result = BuildResult(None, [], [], is_read=True)
    trt = variant.module
    logger = make_logger(trt, result.errors)
    try:
        builder = trt.Builder(logger)
    except TypeError:  # pybind11's word for a constructor that gives nothing
        return result
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(file)):
        parser_errors = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        return result._replace(errors=parser_errors or result.errors, is_read=False)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 is to be fp32, or the golden vectors are missed
    config.add_optimization_profile(make_profile(builder, entry))
    config.progress_monitor = make_monitor(trt, progress, result.interruptions)
    if capability:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, architecture(capability).upper()), 0)
    keeps_timings = not variant.is_rtx and use_timings(config, timings)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        return result
    new_timings = bytes(config.get_timing_cache().serialize()) if keeps_timings else b""
    return result._replace(compiled=CompiledEngine(memoryview(engine), new_timings))


@contextmanager
def garbage_collection_off() -> Iterator[None]:
    """Suspend garbage collection: TensorRT calls the logger under a lock that its own destructors take."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def use_timings(config: Any, timings: bytes) -> bool:
    """Set the timings of earlier builds, or none where these do not fit; return whether timings can be kept."""
    for content in (timings, b""):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, False):
            return True
    return False


def make_profile(builder: Any, entry: GraphEntry) -> Any:
    """Return the range of batches of every input: 1, the usual, the largest."""
    profile = builder.create_optimization_profile()
    for tensor in entry.inputs:
        sizes = tensor.shape[1:]
        profile.set_shape(tensor.name, *((rows, *sizes) for rows in (1, entry.batch.usual, entry.batch.largest)))
    return profile


def build_error(variant: TensorRTVariant, file: Path, capability: str | None, result: BuildResult) -> EngineError:
    """Return the error for a graph that does not compile."""
    target = f" for {architecture(capability)}" if capability and result.is_read else ""
    verb = "build" if result.is_read else "read"
    problem = f"{variant.name} {variant.version} cannot {verb} {file}{target}: {quote_errors(result.errors)}"
    if variant.is_rtx and "FP32 GEMM" in problem:
        remedy = f"TensorRT-RTX has no fp32 matrix product for Turing ({TURING}): export with --precision fp16"
        return EngineError(problem, remedy)
    return EngineError(problem, REMEDY)


def quote_errors(errors: Collection[str]) -> str:
    """Return the first of TensorRT's messages, each once."""
    return "; ".join(islice(dict.fromkeys(errors), ERRORS_QUOTED)) or "it does not say why"


def make_logger(trt: Any, errors: MutableSequence[str]) -> Any:
    """Return a logger that appends errors to `errors` and hands the rest to this program's debug log."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
                errors.append(message)
            log.debug("%s: %s", severity, message)

    return Logger()


def make_monitor(trt: Any, progress: BuildProgress, interruptions: list[BaseException]) -> Any:
    """Return a progress monitor that calls `progress`.

    Its exceptions end the build and go to `interruptions`: nothing may be raised into TensorRT.
    """

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            catch(progress.begin, phase, parent, steps)

        def step_complete(self, phase: str, step: int) -> bool:
            if catch(progress.step, phase, step + 1) is False:
                interruptions.append(KeyboardInterrupt())
            return not interruptions

        def phase_finish(self, phase: str) -> None:
            catch(progress.end, phase)

    def catch(function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except BaseException as error:
            interruptions.append(error.with_traceback(None))  # which would hold the frames that called TensorRT
            return None

    return Monitor()
