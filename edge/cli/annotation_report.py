"""Report of an annotation on stderr: a progress bar on a terminal, else a line a recording."""

import logging
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ..annotation.crew import Task
from ..annotation.protocol import Done, Failed, Note, Position
from .terminal import complaints


class AnnotationReport:
    """Observer of a crew; its methods may be called from several threads."""

    def __init__(self, count: int, *, is_quiet: bool) -> None:
        self.failed: list[str] = []
        """Errors of the recordings that could not be annotated."""
        self._count, self._is_quiet = count, is_quiet
        self._done = self._rows = self._skipped = 0
        self._recorded_s = 0.0
        self._shares: dict[Path, float] = {}
        self._progress: Progress | None = None
        self._task = TaskID(0)
        if complaints.is_terminal and not is_quiet:
            columns = (TextColumn("annotating", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=complaints, transient=True)
            self._task = self._progress.add_task("annotating", total=count)

    def __enter__(self) -> "AnnotationReport":
        """Show the bar."""
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()

    def begin(self, about: str) -> None:
        """Say what annotates."""
        self._say(about)

    def skip(self, count: int) -> None:
        """Count recordings that were done before."""
        self._skipped = count
        self._show()

    def on_note(self, note: Note) -> None:
        """Print a line of a worker's log."""
        if note.level >= logging.WARNING or not self._is_quiet:
            complaints.print(f"foal-edge: {note.text}")

    def __call__(self, task: Task, reply: Position | Note | Done | Failed) -> None:
        """Take what happens to a task."""
        if isinstance(reply, Note):
            self.on_note(reply)
            return
        recording = task.entry.recording
        if isinstance(reply, Position):
            self._shares[recording] = min(1.0, reply.time_s / reply.duration_s) if reply.duration_s else 0.0
        else:
            self._shares.pop(recording, None)
            self._end(recording, reply)
        self._show()

    def finish(self, output: Path) -> None:
        """Print the sum."""
        before = f", {self._skipped} were done before" if self._skipped else ""
        self._say(
            f"{self._done} of {self._count} recordings annotated in {output}: {self._rows} windows in "
            f"{self._recorded_s:.1f} s of recordings{before}"
        )

    def _end(self, recording: Path, reply: Done | Failed) -> None:
        if isinstance(reply, Failed):
            self.failed.append(reply.text)
            return
        self._done, self._rows = self._done + 1, self._rows + reply.rows
        self._recorded_s += reply.recording_s
        if self._progress is None:
            speed = reply.recording_s / max(reply.took_s, 1e-3)
            self._say(f"{recording}: {reply.rows} windows, {speed:.1f} times as fast as it plays")

    def _show(self) -> None:
        if self._progress is not None:
            ended = self._done + len(self.failed) + self._skipped
            self._progress.update(self._task, completed=round(ended + sum(list(self._shares.values())), 2))

    def _say(self, text: str) -> None:
        if not self._is_quiet:
            complaints.print(text)
