"""One run of the runtime, put together from what the user asked for."""

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..backends.select import open_backend
from ..backends.tensorrt.builder import EngineBuilder
from ..bundle.load import Bundle, load
from ..clock import SystemClock, to_ns
from ..errors import EngineError, FoalError, SourceError
from ..live.hop_control import HopControl
from ..live.inbox import Inbox
from ..live.loop import run_fast, run_live
from ..live.pipeline import Pipeline, RunSpec, StreamSpec, build_pipeline
from ..live.recognizer import Recognizer
from ..live.supervision import Supervisor
from ..live.suspension import SuspensionWatch
from ..preprocess.framing import threads_for
from ..service.systemd import SystemdNotifier
from ..sources.base import Recording
from ..wire.addresses import AUTO
from ..wire.drop_reasons import FRAMES_FAILED, OVERLOAD, WINDOWS_NOT_FINITE
from ..wire.messages import Message
from .config import Config
from .inputs import count_captures, make_recordings, open_devices, pace
from .outputs import Outputs

log = logging.getLogger(__name__)


def run(
    config: Config,
    stop: threading.Event,
    engine_builder: EngineBuilder,
    on_start: Callable[[str], None],
    on_sent: Callable[[Message], None],
) -> None:
    """Run until every recording has ended or `stop` is set.

    `engine_builder` builds engines where TensorRT needs them, `on_start` gets a line about what runs where, `on_sent`
    each message once it is out. FoalError where something that was asked for cannot be had.
    """
    bundle = load(Path(config.bundle))
    opened = open_backend(bundle, config.backend, config.threads, engine_builder)
    backend = opened.backend
    model, session, clock = f"{bundle.manifest.name} {bundle.manifest.version}", uuid.uuid4().hex, SystemClock()
    dropped = [Counter[str]() for _ in config.streams]
    recordings = make_recordings(config.streams, bundle.manifest, dropped)
    about = {"session": session, "bundle": model, "backend": backend.name}
    watch = SuspensionWatch(clock)
    with closing(Outputs(config, about, clock, watch, stop, on_sent)) as outputs, threads_for(len(config.streams)):

        def tell(inputs: Sequence[str]) -> None:
            address = outputs.publisher.address
            where = f"publishing at {address}" if address else "not publishing"
            on_start(f"{model} on {backend.name} ({opened.reason}), {' and '.join(inputs)}, {where}")

        this = Run(config, session, bundle, Recognizer(bundle.manifest, backend), outputs, clock, watch, stop, tell)
        pipeline = this.play_fast(recordings, dropped) if config.fast else this.play_live(recordings, dropped)
    failures = pipeline.loop.failures
    if not stop.is_set():
        for index, (recording, reporter) in enumerate(zip(recordings, pipeline.reporters, strict=True)):
            if recording is not None and not reporter.predictions and index not in failures:
                check_predicted(config, recording.name, reporter.all_dropped, partial(failures.add, index))
    failures.raise_any()


def check_predicted(config: Config, name: str, dropped: Mapping[str, int], fail: Callable[[FoalError], None]) -> None:
    """Say why a recording gave no window: its own failure, unless this machine was too slow for it."""
    if any(dropped[reason] for reason in OVERLOAD):
        counts = ", ".join(f"{reason} {count}" for reason, count in dropped.items() if count)
        log.warning("%s gave no window in time, this machine being too slow (%s); run fewer streams", name, counts)
    elif dropped[WINDOWS_NOT_FINITE]:
        fail(EngineError(f"the model gave no window of {name} a finite number", "run `foal-edge doctor`"))
    elif dropped[FRAMES_FAILED]:
        fail(SourceError(f"no picture of {name} can be framed; convert it with ffmpeg"))
    else:
        fail(
            SourceError(
                f"{name} gave no window: shorter than the hop of {config.hop_s} s, or no face and no sound; "
                "give a longer clip or a shorter --hop"
            )
        )


@dataclass(frozen=True)
class Run:
    """The parts that both ways of running need. Both return what has run."""

    config: Config
    session: str
    bundle: Bundle
    recognizer: Recognizer
    outputs: Outputs
    clock: SystemClock
    watch: SuspensionWatch
    stop: threading.Event
    tell: Callable[[Sequence[str]], None]

    def run_spec(self, begin_ns: int) -> RunSpec:
        """What the messages will follow from."""
        config = self.config
        return RunSpec(
            self.session,
            tuple(
                StreamSpec(stream.name, stream.wants_audio, stream.wants_video, max(0.0, -stream.av_offset_ms))
                for stream in config.streams
            ),
            config.framing or self.bundle.manifest.video.framing,
            begin_ns,
            to_ns(config.first_hop_s),
            not config.fast,
            config.events,
        )

    def play_fast(self, recordings: Sequence[Recording | None], dropped: Sequence[Counter[str]]) -> Pipeline:
        """As quickly as the recordings can be decoded."""
        given = [recording for recording in recordings if recording is not None]
        self.tell([recording.name for recording in given])
        run_spec = self.run_spec(0)
        pipeline = build_pipeline(run_spec, self.recognizer, self.outputs.publisher.publish_each)
        on_step = self.outputs.record(run_spec, self.bundle)
        with closing(pipeline.loop):
            run_fast(pipeline.loop, given, run_spec.hop_ns, self.stop, on_step, dropped)
        return pipeline

    def play_live(self, recordings: Sequence[Recording | None], dropped: Sequence[Counter[str]]) -> Pipeline:
        """As things happen: devices, and recordings in their own time."""
        streams, publisher = self.config.streams, self.outputs.publisher
        inbox = Inbox([count_captures(stream) for stream in streams], dropped)
        devices = open_devices(streams, self.bundle.manifest, inbox, self.clock, self.stop)
        run_spec = self.run_spec(self.clock.now_ns())
        captures = devices + pace(recordings, inbox, self.clock, run_spec.begin_ns, self.stop)
        pipeline = build_pipeline(run_spec, self.recognizer, publisher.publish)
        rate = HopControl(run_spec.hop_ns, self.config.hop_s == AUTO)
        notifier = SystemdNotifier.from_environment()
        supervisor = Supervisor(self.session, rate, inbox, publisher, pipeline.reporters, notifier, self.clock)
        names = [capture.name for capture in captures]
        self.tell(names)
        on_step = self.outputs.record(run_spec, self.bundle)
        with closing(pipeline.loop), closing(notifier), closing(self.watch):
            self.watch.start()
            for capture in captures:
                capture.start()
            notifier.ready(" and ".join(names))
            try:
                run_live(pipeline.loop, inbox, self.clock, self.watch, self.stop, supervisor, on_step)
            except BaseException:
                self.stop.set()
                raise
            finally:
                notifier.stopping()
                for capture in captures:
                    capture.finish()
        return pipeline
