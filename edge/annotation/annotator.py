"""Annotator: a model with its settings, which predicts recordings and writes their annotations."""

from collections.abc import Sequence
from pathlib import Path

from ..session.config import Config
from ..session.model import Model
from ..system.files import replacing
from ..system.printable import as_text, visible
from ..system.versions import versions
from .about import About, read_about, settings_of, write_about
from .annotate import Annotation, OnProgress, annotate
from .collection import Entry
from .formats import FILM, FORMATS


class Annotator:
    """Model and settings of many annotations."""

    def __init__(self, model: Model, config: Config) -> None:
        self.model, self._config = model, config
        self.settings = settings_of(model, config)

    def annotate(self, recording: Path, on_progress: OnProgress) -> Annotation:
        """Predict every window of a recording; see `annotate.annotate`."""
        return annotate(recording, self.model, self._config, on_progress)

    def write(self, annotation: Annotation, entry: Entry, formats: Sequence[str], notes: Sequence[str]) -> None:
        """Write an annotation in some formats, each whole or not at all, and last the note that says that it is done.

        Files of other formats that an earlier note lists stay. FoalError where the disk does not take a file.
        """
        before = read_about(entry.note)
        files = dict(before.files) if before else {}
        for name in formats:
            if name == FILM and not annotation.contents.video:
                files[name] = None
                continue
            path = entry.path(FORMATS[name].suffix)
            with replacing(path) as part:
                FORMATS[name].write(annotation, part)
            files[name] = as_text(path.name)
        about = About(
            recording=visible(str(annotation.recording)),
            size_bytes=annotation.size_bytes,
            duration_s=annotation.contents.duration_s,
            settings=self.settings,
            labels=list(self.model.bundle.manifest.labels),
            rows=len(annotation.rows),
            files=files,
            notes=[as_text(note) for note in notes],
            versions=versions(),
        )
        write_about(about, entry.note)
