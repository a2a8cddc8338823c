"""CUDA's runtime through cuda-python: the same calls, with what goes wrong raised."""

from collections.abc import Callable
from typing import Any

from ...errors import EngineError

REMEDY = "pip install cuda-python, on JetPack 6 'cuda-python<13'; or take --backend onnxruntime"


def runtime() -> Any:
    """The module `cuda.bindings.runtime`; EngineError where cuda-python is missing."""
    try:
        from cuda.bindings import runtime as module
    except ImportError as error:
        raise EngineError(f"cuda-python 12.6 or later is not installed ({error})", REMEDY) from error
    return module


def call(function: Callable[..., tuple[Any, ...]], *arguments: Any) -> Any:
    """What the function gives beside its status; EngineError with CUDA's own words where the status is no success."""
    try:
        status, *values = function(*arguments)
        if int(status):
            _, words = runtime().cudaGetErrorString(status)
            raise EngineError(f"{function.__name__}: {words.decode()} (CUDA error {int(status)})")
    except RuntimeError as error:  # how cuda-python 12.6 says that there is no driver
        raise EngineError(f"{function.__name__}: {error}") from error
    return values[0] if values else None
