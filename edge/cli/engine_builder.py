"""Builder of TensorRT engines that shows its progress on the terminal."""

from collections.abc import Callable

from rich.console import Console

from ..backends.tensorrt.builder import EngineBuilder
from ..backends.tensorrt.progress import progress_bar
from .terminal import complaints


def make_engine_builder(is_stopped: Callable[[], bool], *, quiet: bool = False) -> EngineBuilder:
    """Return a builder that shows a progress bar for each engine on stderr, or nothing if `quiet`."""
    console = Console(quiet=True) if quiet else complaints
    return EngineBuilder(lambda title: progress_bar(title, console, is_stopped), console.print, is_stopped)
