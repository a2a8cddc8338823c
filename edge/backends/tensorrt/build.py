"""From a graph to an engine, with whichever TensorRT there is: strongly typed, so the precision is the graph's own."""

import gc
import logging
from collections.abc import Callable, Collection, Iterator, MutableSequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ...bundle.manifest import GraphEntry
from ...errors import EngineError
from .device import architecture
from .variant import TensorRTVariant

TURING = "7.5"
REMARKS_QUOTED = 3
"""Of TensorRT's complaints, in an error."""
ELSEWHERE = "take --backend onnxruntime"

log = logging.getLogger(__name__)


class Watch(Protocol):
    """Follows a build, which may take minutes; called from TensorRT's threads."""

    def begin(self, phase: str, parent: str | None, steps: int) -> None:
        """A phase begins, perhaps inside another."""
        ...

    def step(self, phase: str, done: int) -> bool:
        """So many of a phase's steps are done; False ends the build."""
        ...

    def end(self, phase: str) -> None:
        """A phase is over, whether or not all its steps were done."""
        ...


class Compiled(NamedTuple):
    """What a build leaves."""

    engine: memoryview
    timings: bytes
    """The timing cache, for the next build on the same device; empty where there is none."""


def compile_graph(
    variant: TensorRTVariant, file: Path, entry: GraphEntry, capability: str | None, timings: bytes, watch: Watch
) -> Compiled:
    """Build an engine for batches from 1 to the entry's largest.

    `capability`, e.g. `8.6`, is that of another device than this machine's (TensorRT-RTX alone can); None is this
    one's. EngineError quotes TensorRT where it refuses the graph; KeyboardInterrupt where `watch` ends the build.
    """
    with uncollected():
        outcome = build(variant, file, entry, capability, timings, watch)
    if outcome.problems:
        raise outcome.problems[0]
    if outcome.compiled is None:
        raise refusal(variant, file, capability, outcome)
    return outcome.compiled


class Outcome(NamedTuple):
    """How a build went."""

    compiled: Compiled | None
    complaints: list[str]
    """TensorRT's own words."""
    problems: list[BaseException]
    """What ended it from outside."""
    is_read: bool
    """Whether TensorRT could read the graph at all."""


def build(
    variant: TensorRTVariant, file: Path, entry: GraphEntry, capability: str | None, timings: bytes, watch: Watch
) -> Outcome:
    """The build itself, which raises nothing: an error's traceback would keep TensorRT's objects alive."""
    outcome = Outcome(None, [], [], is_read=True)
    trt, complaints = variant.module, outcome.complaints
    logger = make_logger(trt, complaints)
    try:
        builder = trt.Builder(logger)
    except TypeError:  # pybind11's word for a constructor that gives nothing
        return outcome
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(file)):
        faults = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        return outcome._replace(complaints=faults or complaints, is_read=False)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 is to be fp32, or the golden vectors are missed
    config.add_optimization_profile(make_profile(builder, entry))
    config.progress_monitor = make_monitor(trt, watch, outcome.problems)
    if capability:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, architecture(capability).upper()), 0)
    keeps_timings = not variant.is_rtx and use_timings(config, timings)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        return outcome
    kept = bytes(config.get_timing_cache().serialize()) if keeps_timings else b""
    return outcome._replace(compiled=Compiled(memoryview(engine), kept))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection: TensorRT calls the logger under a lock that its own destructors take."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def use_timings(config: Any, timings: bytes) -> bool:
    """Begin with the timings of earlier builds, or with none where these do not fit; whether they can be kept."""
    for content in (timings, b""):
        cache = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, False):
            return True
    return False


def make_profile(builder: Any, entry: GraphEntry) -> Any:
    """The range of batches of every input: 1, the usual, the largest."""
    profile = builder.create_optimization_profile()
    for tensor in entry.inputs:
        sizes = tensor.shape[1:]
        profile.set_shape(tensor.name, *((rows, *sizes) for rows in (1, entry.batch.usual, entry.batch.largest)))
    return profile


def refusal(variant: TensorRTVariant, file: Path, capability: str | None, outcome: Outcome) -> EngineError:
    """What to say of a graph that does not compile."""
    target = f" for {architecture(capability)}" if capability and outcome.is_read else ""
    verb = "build" if outcome.is_read else "read"
    said = f"{variant.name} {variant.version} cannot {verb} {file}{target}: {quoted(outcome.complaints)}"
    if variant.is_rtx and "FP32 GEMM" in said:
        turing = f"TensorRT-RTX has no fp32 matrix product for Turing ({TURING}): export with --precision fp16"
        return EngineError(said, turing)
    return EngineError(said, ELSEWHERE)


def quoted(complaints: Collection[str]) -> str:
    """The first of TensorRT's complaints."""
    return "; ".join(islice(dict.fromkeys(complaints), REMARKS_QUOTED)) or "it does not say why"


def make_logger(trt: Any, complaints: MutableSequence[str]) -> Any:
    """A logger that keeps errors in `complaints`, and hands the rest to this program's debug log."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
                complaints.append(message)
            log.debug("%s: %s", severity, message)

    return Logger()


def make_monitor(trt: Any, watch: Watch, problems: list[BaseException]) -> Any:
    """A progress monitor for `watch`; what ends the build goes to `problems`: nothing may be raised into TensorRT."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            guarded(watch.begin, phase, parent, steps)

        def step_complete(self, phase: str, step: int) -> bool:
            if guarded(watch.step, phase, step + 1) is False:
                problems.append(KeyboardInterrupt())
            return not problems

        def phase_finish(self, phase: str) -> None:
            guarded(watch.end, phase)

    def guarded(report: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return report(*arguments)
        except BaseException as error:
            problems.append(error.with_traceback(None))  # which would hold the frames that called TensorRT
            return None

    return Monitor()
