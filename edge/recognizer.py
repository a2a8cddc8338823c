"""Recognizer for programs in Python: recordings, single windows and live runs by one loaded model."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from .annotation.annotate import Annotation, annotate
from .annotation.rows import Row
from .annotation.window import predict_window
from .backends.tensorrt.progress import quiet_engine_builder
from .bundle.load import SHIPPED, load
from .models.names import find_bundle_folder
from .session.background import BackgroundRun
from .session.config import Config, StreamConfig, build, check_stream, checked
from .session.model import open_model
from .wire.addresses import AUTO, OFF

if TYPE_CHECKING:
    from .preprocess.images import Image
    from .preprocess.media import Samples


class Recognizer:
    """Model that is loaded once and predicts recordings, windows and live runs; all of it stays on this machine.

    `bundle` is the folder of a model or the name of a shipped one; `settings` are those of a run, such as `hop_s`,
    `detector`, `framing`, `backend`, `threads` or `events`, by the names of a configuration file. UsageError,
    BundleError or EngineError say what cannot be had.
    """

    def __init__(self, bundle: str | PathLike[str] = SHIPPED.name, **settings: Any) -> None:
        self._config: Config = build({"bundle": str(bundle), **settings}, Config, "Recognizer")
        self._model = open_model(
            self._config, load(find_bundle_folder(Path(self._config.bundle))), quiet_engine_builder()
        )
        manifest = self._model.bundle.manifest
        self.labels = tuple(manifest.labels)
        """Labels, in the order of probabilities."""
        self.audio_rate_hz = manifest.audio.rate_hz
        """Samples per second that `predict` takes."""
        self.video_rate_hz = manifest.video.rate_hz
        """Frames per second that `predict` takes."""
        self.window_s = manifest.audio.window_s
        """Length of a window, in seconds."""
        self.about = self._model.about
        """Model, backend and detector, for people."""

    def annotate(
        self, recording: str | PathLike[str], *, audio: bool = True, video: bool = True, people: int = 1
    ) -> Annotation:
        """Predict every window of a recording, as `foal-edge annotate` does; `rows` has them.

        With more than one of `people`, so many are followed at most, and there is a row for each. SourceError where the
        recording cannot be read, or has nothing of what is wanted.
        """
        wanted = {"camera": "0" if video else OFF, "mic": "default" if audio else OFF, "people": people}
        stream: StreamConfig = build(wanted, StreamConfig, "annotate")
        check_stream(stream)
        return annotate(Path(recording), self._model, replace(self._config, streams=(stream,)), ignore)

    def predict(self, frames: "Sequence[Image]" = (), samples: "Samples | None" = None) -> Row:
        """Predict the window that ends with the newest frame and the newest sample.

        `frames` are uint8 `[H, W, 3]` RGB, `video_rate_hz` a second; `samples` float32 `[n]` mono, `audio_rate_hz` a
        second, full scale 1. Either may be left out. UsageError where there is nothing to predict from.
        """
        return predict_window(self._model, self._config, frames, samples)

    def live(self, **stream: Any) -> BackgroundRun:
        """Start a live run and return its messages, to iterate over and to close.

        `stream` has the keys of a stream in a configuration file: `camera`, `mic`, or `file` or `demo` in their place.
        Nothing is published unless the recognizer was made with `bind`.
        """
        made: StreamConfig = build(stream, StreamConfig, "live")
        bind = OFF if self._config.bind == AUTO else self._config.bind
        return BackgroundRun(checked(replace(self._config, streams=(made,), bind=bind)), self._model)


def ignore(*_: object) -> None:
    """Do nothing."""
