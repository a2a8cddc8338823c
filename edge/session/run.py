"""Run of the runtime, built from the user's settings."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends.tensorrt.builder import EngineBuilder
from ..bundle.load import describe, verify
from ..clock import SystemClock
from ..models.names import find_bundle_folder
from ..wire.messages import Message
from .config import Config
from .inputs import make_inputs
from .playback import Playback
from .start import Start

if TYPE_CHECKING:
    from .model import Model


def run(
    config: Config,
    stop: threading.Event,
    engine_builder: EngineBuilder,
    on_start: Callable[[Start], None],
    on_sent: Callable[[Message], None],
    model: "Model | None" = None,
) -> None:
    """Run until every recording has ended or `stop` is set.

    `engine_builder` builds engines where TensorRT needs them, `on_start` gets what was chosen before the first
    message, `on_sent` each message once it is out. A `model` of this configuration that is loaded already is not loaded
    again. FoalError where something that was asked for cannot be had.
    """
    folder = model.bundle.folder if model else find_bundle_folder(Path(config.bundle))
    manifest = model.bundle.manifest if model else describe(folder)
    clock = SystemClock()
    inputs = make_inputs(config.streams, manifest, in_real_time=not config.fast)
    with nullcontext() if config.fast else closing(Playback(inputs, clock, stop)) as playback:
        if playback:
            playback.await_first()
        with ThreadPoolExecutor(1) as executor:
            verifying = executor.submit(lambda: model.bundle if model else verify(folder, manifest))
            from .predicting import predict  # here, since recordings are read and files verified while it is imported
        bundle = verifying.result()
        predict(config, bundle, inputs, playback, clock, stop, engine_builder, on_start, on_sent, model)
