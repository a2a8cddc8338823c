"""TensorRT-RTX makes kernels on the device when an engine first runs; what it has made is kept for the next start."""

import logging
from pathlib import Path
from typing import Any

from ...errors import EngineError
from . import cache

log = logging.getLogger(__name__)


class Kernels:
    """The settings of an engine's contexts, and the kernels made by them."""

    def __init__(self, trt: Any, engine: Any, file: Path) -> None:
        self._file = file
        self.settings = engine.create_runtime_config()
        """For `create_execution_context`."""
        self.settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        # Lazily made kernels arrive in the middle of a stream, and change its latency
        strategies = trt.DynamicShapesKernelSpecializationStrategy
        self.settings.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        self._made = self.settings.create_runtime_cache()
        kept = cache.read_if_kept(file)
        if kept and not self._made.deserialize(kept):
            log.info("%s does not fit this device or driver; its kernels are made again", file)
        self.settings.set_runtime_cache(self._made)

    def keep(self) -> None:
        """Write what has been made so far."""
        made = bytes(self._made.serialize())
        if made == cache.read_if_kept(self._file):
            return
        try:
            cache.replace(self._file, made)
        except EngineError as error:
            log.warning("%s. The next start makes these kernels again", error)
