"""Prediction of a run: the model, the outputs and the loop, from inputs that are open."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from ..backends.tensorrt.builder import EngineBuilder
from ..bundle.load import Bundle
from ..clock import SystemClock, to_ns
from ..errors import EngineError, FoalError, SourceError
from ..live.hop_control import HopControl
from ..live.loop import run_fast, run_live
from ..live.pipeline import Pipeline, build_pipeline
from ..live.supervision import Supervisor
from ..live.suspension import SuspensionWatch
from ..preprocess.framing import threads_for
from ..service.systemd import SystemdNotifier
from ..sources.caption import Caption
from ..sources.demo import CAPTIONS, DURATION_S
from ..sources.looped import looped_captions
from ..wire.addresses import AUTO
from ..wire.drop_reasons import FRAMES_FAILED, OVERLOAD, WINDOWS_NOT_FINITE, WINDOWS_UNANSWERED
from ..wire.messages import Message
from .config import Config, StreamConfig
from .inputs import StreamInput, open_devices
from .model import Model, open_model
from .outputs import Outputs
from .playback import Playback
from .start import Start

log = logging.getLogger(__name__)


def predict(
    config: Config,
    bundle: Bundle,
    inputs: Sequence[StreamInput],
    playback: Playback | None,
    clock: SystemClock,
    stop: threading.Event,
    engine_builder: EngineBuilder,
    on_start: Callable[[Start], None],
    on_sent: Callable[[Message], None],
    model: Model | None = None,
) -> None:
    """Load the model, if it is not, and predict until every recording has ended or `stop` is set; see `run.run`.

    `playback` plays the recordings; None where they are read as quickly as they can be decoded.
    """
    model, session = model or open_model(config, bundle, engine_builder), uuid.uuid4().hex
    about = {"session": session, "bundle": model.name, "backend": model.recognizer.backend.name}
    watch = SuspensionWatch(clock)
    with closing(Outputs(config, about, clock, watch, stop, on_sent)) as outputs, threads_for(len(config.streams)):

        def tell(names: Sequence[str], begins_ns: Mapping[str, int]) -> None:
            on_start(
                Start(
                    model=model.runs,
                    faces=model.faces,
                    inputs=names,
                    address=outputs.publisher.address,
                    page=outputs.page_address,
                    record=config.record,
                    begin_ns=begins_ns,
                    captions=captions_of(config.streams),
                )
            )

        this = Run(config, session, model, outputs, clock, watch, stop, tell)
        pipeline = this.run_fast(inputs) if playback is None else this.run_live(inputs, playback)
    failures = pipeline.failures
    if not stop.is_set():
        for each in inputs:
            reporter = pipeline.streams[each.index].reporter
            if each.recording is not None and not reporter.predictions and reporter.name not in failures:
                fail = partial(failures.add, reporter.name)
                check_predicted(config, each.recording.name, reporter.all_dropped, fail)
    failures.raise_any()


def captions_of(streams: Sequence[StreamConfig]) -> Iterable[Caption]:
    """Return the captions of the first stream that is the demo; none without one."""
    demo = next((stream for stream in streams if stream.demo), None)
    if demo is None:
        return ()
    return looped_captions(CAPTIONS, DURATION_S) if demo.loop else CAPTIONS


def check_predicted(config: Config, name: str, dropped: Mapping[str, int], fail: Callable[[FoalError], None]) -> None:
    """Explain why a recording gave no window: a failure of its own, unless this machine was too slow for it."""
    if any(dropped[reason] for reason in OVERLOAD):
        counts = ", ".join(f"{reason} {count}" for reason, count in dropped.items() if count)
        log.warning("%s gave no window in time, this machine being too slow (%s); run fewer streams", name, counts)
    elif dropped[WINDOWS_UNANSWERED]:
        fail(EngineError(f"the server gave no result for any window of {name}", "see its log (docs/triton.md)"))
    elif dropped[WINDOWS_NOT_FINITE]:
        fail(EngineError(f"the model gave no window of {name} a finite number", "run `foal-edge doctor`"))
    elif dropped[FRAMES_FAILED]:
        fail(SourceError(f"no frame of {name} can be framed; convert it with ffmpeg"))
    else:
        fail(
            SourceError(
                f"{name} gave no window: shorter than the hop of {config.hop_s} s, or no face and no audio; "
                "give a longer clip or a shorter --hop"
            )
        )


@dataclass(frozen=True)
class Run:
    """Parts of a run, whether fast or live. Both methods return the pipeline that has run."""

    config: Config
    session: str
    model: Model
    outputs: Outputs
    clock: SystemClock
    watch: SuspensionWatch
    stop: threading.Event
    tell: Callable[[Sequence[str], Mapping[str, int]], None]
    """Function that tells the user what runs: the names of the inputs, and when recordings begin, by stream."""

    def run_fast(self, inputs: Sequence[StreamInput]) -> Pipeline:
        """Run recordings as quickly as they can be decoded."""
        recordings = [each.recording for each in inputs if each.recording is not None]
        run_spec = self.model.run_spec(self.config, self.session, 0)
        self.tell([recording.name for recording in recordings], run_spec.recording_begins_ns())
        pipeline = build_pipeline(
            run_spec,
            self.model.recognizer,
            self.outputs.publisher.publish_each,
            shows_picture=self.config.show_picture,
        )
        on_input = self.outputs.record(run_spec, self.model.bundle)
        with closing(pipeline.loop):
            dropped = [each.dropped for each in inputs]
            run_fast(pipeline.loop, recordings, run_spec.hop_ns, self.stop, on_input, dropped)
        return pipeline

    def run_live(self, inputs: Sequence[StreamInput], playback: Playback) -> Pipeline:
        """Run devices, and recordings in their own time, whose captures `playback` ends."""
        publisher, inbox = self.outputs.publisher, playback.inbox
        devices = open_devices(inputs, self.model.bundle.manifest, inbox, self.clock, self.stop)
        hop_ns = to_ns(self.config.first_hop_s)
        begin_ns = playback.begin(hop_ns, has_devices=bool(devices))
        run_spec = self.model.run_spec(self.config, self.session, begin_ns)
        pipeline = build_pipeline(
            run_spec, self.model.recognizer, publisher.publish, shows_picture=self.config.show_picture
        )
        hop_control = HopControl(run_spec.hop_ns, self.config.hop_s == AUTO)
        notifier = SystemdNotifier.from_environment()
        supervisor = Supervisor(self.session, hop_control, inbox, publisher, pipeline.streams, notifier, self.clock)
        names = [capture.name for capture in devices + playback.captures]
        self.tell(names, run_spec.recording_begins_ns())
        on_input = self.outputs.record(run_spec, self.model.bundle)
        with closing(pipeline.loop), closing(notifier), closing(self.watch):
            self.watch.start()
            for device in devices:
                device.start()
            notifier.ready(" and ".join(names))
            try:
                with self.model.patience.live(self.config.first_hop_s):
                    run_live(pipeline.loop, inbox, self.clock, self.watch, self.stop, supervisor, on_input)
            except BaseException:
                self.stop.set()
                raise
            finally:
                notifier.stopping()
                for device in devices:
                    device.finish()
        return pipeline
