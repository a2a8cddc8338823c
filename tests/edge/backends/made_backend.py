"""A third backend, made for tests: ONNX Runtime under another name, usable where a file is there."""

import os
from pathlib import Path

from edge.backends.onnxruntime import OrtBackend
from edge.backends.registry import BackendEntry
from edge.bundle.load import Bundle
from edge.errors import EngineError

USABLE = "FOAL_MADE_BACKEND"
"""Variable with the path of a file, without which the backend cannot be used."""
ENTRY = BackendEntry("made", "Made", __name__, EngineError, "mend {about} or {folder}")


class MadeBackend(OrtBackend):
    name = "made-1.0"
    saved = 0

    def save_compiled(self) -> None:
        self.saved += 1


def probe(_bundle: Bundle) -> str:
    file = os.environ.get(USABLE, "none")
    if not Path(file).exists():
        raise EngineError(f"{file} is not here", "make it")
    return "the made backend is here"


def open_backend(bundle: Bundle, threads: int, _engine_builder: object) -> MadeBackend:
    probe(bundle)
    return MadeBackend(bundle, threads)
