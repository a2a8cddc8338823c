"""Which backend runs a bundle: the one asked for, or the best that is here; never another one without a word."""

import logging
from typing import Literal

from . import golden
from .backends.base import Backend
from .backends.ort import OrtBackend
from .backends.tensorrt import TensorRTBackend
from .bundle import Bundle
from .engines import device, flavour
from .engines.provide import Workshop
from .errors import EngineError

Wanted = Literal["auto", "onnxruntime", "tensorrt"]

log = logging.getLogger(__name__)


def open_backend(
    bundle: Bundle, wanted: Wanted, threads: int, workshop: Workshop, *, proven: bool = True
) -> tuple[Backend, str]:
    """The backend, and why it is this one. `threads` are those of the CPU, 0 for all.

    EngineError where TensorRT is asked for and cannot be had, or, if it is to be `proven`, computes something else
    than the golden vectors.
    """
    if wanted == "tensorrt":
        return open_tensorrt(bundle, workshop, proven), "as asked for"
    if wanted == "onnxruntime":
        return OrtBackend(bundle, threads), "as asked for"
    if is_for_cpus(bundle):
        return OrtBackend(bundle, threads), "int8 is for CPUs"
    try:
        found = f"{flavour.find().name} and {device.find().name} are here"
    except EngineError as error:
        return OrtBackend(bundle, threads), error.what
    try:
        return open_tensorrt(bundle, workshop, proven), found
    except EngineError as error:
        log.warning("%s, but TensorRT cannot be used: %s. Going on with ONNX Runtime", found, error)
        return OrtBackend(bundle, threads), "TensorRT cannot be used"


def is_for_cpus(bundle: Bundle) -> bool:
    """Whether a graph is quantised, which is done as ONNX Runtime's CPU kernels want it."""
    return any(entry.precision == "int8" for entry in bundle.manifest.graphs.by_name().values())


def open_tensorrt(bundle: Bundle, workshop: Workshop, proven: bool) -> TensorRTBackend:
    """TensorRT, its engines proven on the golden vectors."""
    if is_for_cpus(bundle):
        raise EngineError(
            f"{bundle.manifest.name} is in int8, which is for CPUs; take --backend onnxruntime, or a bundle in fp16"
        )
    backend = TensorRTBackend(bundle, workshop)
    if proven:
        golden.prove(bundle, backend)
    backend.keep_kernels()
    return backend
