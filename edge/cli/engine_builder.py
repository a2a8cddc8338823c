"""Builder of TensorRT engines that shows its progress on the terminal."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ..backends.tensorrt.builder import EngineBuilder
from ..backends.tensorrt.compile import BuildProgress

if TYPE_CHECKING:
    from rich.console import Console


def make_engine_builder(is_stopped: Callable[[], bool], *, quiet: bool = False) -> EngineBuilder:
    """Return a builder that shows a progress bar for each engine on stderr, or nothing if `quiet`."""

    def show_progress(title: str) -> AbstractContextManager[BuildProgress]:
        from ..backends.tensorrt.progress import progress_bar  # here, as rich would slow a start that builds nothing

        return progress_bar(title, find_console(quiet=quiet), is_stopped)

    return EngineBuilder(show_progress, lambda text: find_console(quiet=quiet).print(text), is_stopped)


def find_console(*, quiet: bool) -> "Console":
    """Return the console of stderr, or one that shows nothing if `quiet`; rich is imported now."""
    if quiet:
        from rich.console import Console

        return Console(quiet=True)
    from .terminal import complaints

    return complaints
