"""Which backend runs a bundle: the one asked for, or the best that is here; never another one without a word."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from ..bundle.load import Bundle
from ..bundle.manifest import AGAIN
from ..errors import BundleError, EngineError, FoalError
from .base import Backend
from .names import Wanted
from .onnxruntime import OrtBackend
from .proof import Proof, complaint, prove
from .tensorrt import device
from .tensorrt import variant as variant
from .tensorrt.backend import TensorRTBackend
from .tensorrt.engines import EngineBuilder

log = logging.getLogger(__name__)


class Opened(NamedTuple):
    """A backend that has run a bundle's golden vectors."""

    backend: Backend
    reason: str
    """Why it is this one."""
    proofs: Sequence[Proof]


def open_backend(
    bundle: Bundle, wanted: Wanted, threads: int, engine_builder: EngineBuilder, *, must_prove: bool = True
) -> Opened:
    """The backend, having computed the golden vectors. `threads` are those of the CPU, 0 for all.

    EngineError where TensorRT is asked for and cannot be had. Unless it need not be (`must_prove`), a backend that
    computes something else than the golden vectors is refused: EngineError of TensorRT, BundleError of the CPU.
    """
    if wanted == "tensorrt":
        return open_tensorrt(bundle, engine_builder, "as asked for", must_prove=must_prove)
    if wanted == "onnxruntime":
        return open_ort(bundle, threads, "as asked for", must_prove=must_prove)
    if is_for_cpus(bundle):
        return open_ort(bundle, threads, "int8 is for CPUs", must_prove=must_prove)
    try:
        found = f"{variant.find().name} and {device.find().name} are here"
    except EngineError as error:
        return open_ort(bundle, threads, error.what, must_prove=must_prove)
    try:
        return open_tensorrt(bundle, engine_builder, found, must_prove=must_prove)
    except EngineError as error:
        log.warning("%s, but TensorRT cannot be used: %s. Going on with ONNX Runtime", found, error)
        return open_ort(bundle, threads, "TensorRT cannot be used", must_prove=must_prove)


def is_for_cpus(bundle: Bundle) -> bool:
    """Whether a graph is quantised, which is done as ONNX Runtime's CPU kernels want it."""
    return any(entry.precision == "int8" for entry in bundle.manifest.graphs.by_name().values())


def open_ort(bundle: Bundle, threads: int, reason: str, *, must_prove: bool) -> Opened:
    """ONNX Runtime on the CPU, proven."""
    return proven(bundle, OrtBackend(bundle, threads), reason, must_prove=must_prove)


def open_tensorrt(bundle: Bundle, engine_builder: EngineBuilder, reason: str, *, must_prove: bool) -> Opened:
    """TensorRT, its engines proven; the kernels that it compiled for them are kept."""
    if is_for_cpus(bundle):
        raise EngineError(
            f"{bundle.manifest.name} is in int8, which is for CPUs; take --backend onnxruntime, or a bundle in fp16"
        )
    backend = TensorRTBackend(bundle, engine_builder)
    opened = proven(bundle, backend, reason, must_prove=must_prove)
    backend.keep_kernels()
    return opened


def proven(bundle: Bundle, backend: Backend, reason: str, *, must_prove: bool) -> Opened:
    """A backend with what it makes of the golden vectors; refused where it must prove itself and does not."""
    proofs = prove(bundle, backend)
    refused = refusal(bundle, backend, proofs)
    if must_prove and refused:
        raise refused
    if bundle.manifest.golden_probabilities is None:
        log.warning(
            "%s has no golden probabilities: the order of its labels and its temperature cannot be checked; "
            "export it again, or write them by python -m export complete BUNDLE",
            bundle.folder,
        )
    return Opened(backend, reason, proofs)


def refusal(bundle: Bundle, backend: Backend, proofs: Sequence[Proof]) -> FoalError | None:
    """What is said of a backend that computes something else than the golden vectors; None where it does not."""
    problem = complaint(bundle, backend, proofs)
    if problem is None:
        return None
    if isinstance(backend, TensorRTBackend):
        remedy = (
            "foal-edge engines build BUNDLE --again makes its engines anew, --backend onnxruntime goes without them"
        )
        return EngineError(problem, remedy)
    return BundleError(
        f"{problem}; the graphs in {bundle.folder} are not those that were exported, or ONNX Runtime computes them "
        f"otherwise on this processor, {backend.about}: {AGAIN}, in fp32 where it is in a lower precision"
    )
