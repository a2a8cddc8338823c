"""Backend `onnxruntime` of a Triton server, in Python: for servers whose package has none, such as nvidia-pytriton's.

The server runs this file by an interpreter of its own. What it is asked in one go is computed as one batch; the file
that `FOAL_TRITON_DELAY` names, if any, holds seconds that each batch takes longer.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as triton

DELAY = os.environ.get("FOAL_TRITON_DELAY", "")


class TritonPythonModel:
    """One version of a model, as the server expects it to be called."""

    @staticmethod
    def auto_complete_config(config: Any) -> Any:
        """Return the configuration as it is."""
        return config

    def initialize(self, arguments: dict[str, str]) -> None:
        """Load the graph on one core."""
        file = json.loads(arguments["model_config"])["default_model_filename"]
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(arguments["model_repository"], arguments["model_version"], file)
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._inputs = [tensor.name for tensor in self._session.get_inputs()]
        self._outputs = [tensor.name for tensor in self._session.get_outputs()]

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Return a response for each request."""
        if DELAY:
            time.sleep(float(Path(DELAY).read_text() or 0))
        batches = [
            {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
            for request in requests
        ]
        joined = {name: np.concatenate([batch[name] for batch in batches]) for name in self._inputs}
        outputs = self._session.run(self._outputs, joined)
        responses, first = [], 0
        for batch in batches:
            part = slice(first, first := first + len(batch[self._inputs[0]]))
            tensors = [triton.Tensor(name, array[part]) for name, array in zip(self._outputs, outputs, strict=True)]
            responses.append(triton.InferenceResponse(tensors))
        return responses
