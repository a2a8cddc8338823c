"""Progress of a build as one bar on a terminal."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .builder import EngineBuilder
from .compile import BuildProgress

log = logging.getLogger(__name__)


class Phases:
    """Share of a build that is done, from its nested phases: a phase counts as one step of its parent's."""

    def __init__(self, show: Callable[[float, str], None], is_stopped: Callable[[], bool]) -> None:
        self._show, self._is_stopped = show, is_stopped
        self._lock = threading.RLock()
        self._steps: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._parents: dict[str, str | None] = {}

    def begin(self, phase: str, parent: str | None, steps: int) -> None:
        """Add a phase of so many steps, perhaps inside another one."""
        with self._lock:
            self._steps[phase], self._done[phase], self._parents[phase] = max(1, steps), 0, parent
            self._show(self.share(), phase)

    def step(self, phase: str, done: int) -> bool:
        """Set how many of a phase's steps are done; return False to end the build."""
        with self._lock:
            self._done[phase] = done
            self._show(self.share(), phase)
        return not self._is_stopped()

    def end(self, phase: str) -> None:
        """Remove a phase."""
        with self._lock:
            for phases in (self._steps, self._done, self._parents):
                phases.pop(phase, None)

    def share(self) -> float:
        """Return the share that is done, 0 to 1; 1 where no phase runs."""
        with self._lock:
            return max((self._share(phase) for phase, parent in self._parents.items() if parent is None), default=1.0)

    def _share(self, phase: str) -> float:
        inner = [self._share(child) for child, parent in self._parents.items() if parent == phase]
        return min(1.0, (self._done[phase] + max(inner, default=0.0)) / self._steps[phase])


@contextmanager
def progress_bar(title: str, console: Console, is_stopped: Callable[[], bool]) -> Iterator[BuildProgress]:
    """Draw a bar as long as the build lasts; nothing is drawn where there is no terminal."""
    if not console.is_terminal:  # rich up to 14 would end even a disabled bar with an empty line
        yield Phases(lambda _share, _phase: None, is_stopped)
        return
    phase = TextColumn("{task.fields[phase]}", markup=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), phase)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=1.0, phase="")
        furthest = 0.0

        def show(share: float, phase: str) -> None:
            nonlocal furthest
            furthest = max(furthest, share)  # phases that begin again do not draw the bar back
            progress.update(task, completed=furthest, phase=phase)

        yield Phases(show, is_stopped)


def quiet_engine_builder() -> EngineBuilder:
    """Return a builder that logs each build and draws nothing."""
    return EngineBuilder(lambda _title: nullcontext(Phases(lambda _share, _phase: None, never)), log.info, never)


def never() -> bool:
    """Return False: nobody ends the build."""
    return False
