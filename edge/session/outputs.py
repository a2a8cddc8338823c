"""Outputs of a run: the publisher, and the observers of its messages."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from ..bundle.load import MANIFEST, Bundle, sha256
from ..clock import Clock
from ..live.inbox import LoopInput
from ..live.pipeline import RunSpec
from ..live.suspension import SuspensionWatch
from ..recording.machine import here
from ..recording.metadata import BundleMetadata, RunMetadata
from ..system.versions import program_version
from ..wire.addresses import OFF, check_address, check_exposure, control_address
from ..wire.control_server import ControlServer
from ..wire.keys import load_server_keys
from ..wire.messages import CameraPicture, Message
from ..wire.publisher import Publisher, stamped
from .config import Config

T = TypeVar("T")

log = logging.getLogger(__name__)


class Outputs:
    """Publisher with its control port and metrics page; PublishError or UsageError where one cannot be had.

    `on_sent` gets each message once it is sent; `about` is what the control port tells about the run.
    """

    def __init__(
        self,
        config: Config,
        about: dict[str, str],
        clock: Clock,
        watch: SuspensionWatch,
        stop: threading.Event,
        on_sent: Callable[[Message], None],
    ) -> None:
        keys = load_server_keys(Path(config.keys)) if config.keys else None
        if config.address is not None:
            check_address(config.address, "--bind", binds=True)
        control = control_address(config.address, config.control)
        if control is not None:
            check_address(control, "--control", binds=True)
        for address in filter(None, (config.address, control)):
            check_exposure(address, is_allowed=keys is not None or config.insecure)
        self._config, self._clock, self._backend, self._seen_by = config, clock, about["backend"], [on_sent]

        def stamp(message: Message) -> Message | None:
            return None if watch.is_stale(message) else stamped(message, clock)

        self.page_address: str | None = None
        """Address of the page beside the run; None without one."""
        self._afterwards = ExitStack()
        """Resources closed after the publisher: the last messages are recorded too."""
        with ExitStack() as opened:
            self.publisher = Publisher(
                config.address, config.format, as_it_is if config.fast else stamp, self._see, keys
            )
            opened.callback(self.publisher.close)
            if control is not None:
                may_stop, publishing = stop if config.allow_stop else None, self.publisher.address or OFF
                ours = {"publishing": publishing, "version": program_version(), "pid": str(os.getpid())}
                opened.callback(ControlServer(control, about | ours, self.publisher.last, clock, may_stop, keys).close)
            if config.metrics_port is not None:
                from ..service.prometheus import MetricsEndpoint  # here, since few runs serve metrics

                metrics_endpoint = MetricsEndpoint(config.metrics_port)
                opened.callback(metrics_endpoint.close)
                self.show_to(metrics_endpoint.observe)
                log.info("metrics at http://127.0.0.1:%d/metrics", metrics_endpoint.port)
            if config.view:
                self.page_address = self._open_view(opened, config.keys)
            self._opened = opened.pop_all()

    def _open_view(self, opened: ExitStack, keys: str | None) -> str | None:
        if self.publisher.address is None:
            return None
        from ..view.beside import ViewProcess  # here, since few runs have a page beside them

        view = ViewProcess(self.publisher.address, Path(keys) if keys else None)
        opened.callback(view.close)
        return view.page_address

    def show_to(self, watcher: Callable[[Message], None]) -> None:
        """Add an observer that gets each message once it is sent; call this before the first is published."""
        self._seen_by.append(watcher)

    def record(self, run_spec: RunSpec, bundle: Bundle) -> Callable[[LoopInput], None]:
        """Start to record where that is asked for; the returned function must get each input before the loop does."""
        config = self._config
        if config.record is None:
            return ignore
        from ..recording.recorder import Recorder  # here, since few runs are recorded

        recorder = Recorder(Path(config.record), self._about(run_spec, bundle), media=config.record_media)
        self._afterwards.callback(recorder.close)
        self.show_to(recorder.add_message)
        return recorder.add_input

    def _about(self, run_spec: RunSpec, bundle: Bundle) -> RunMetadata:
        manifest, now_ns = bundle.manifest, self._clock.now_ns()
        return RunMetadata(
            run_spec=run_spec,
            software=program_version(),
            start_unix_ns=self._clock.unix_ns(now_ns),
            start_mono_ns=now_ns,
            fast=self._config.fast,
            bundle=BundleMetadata(
                manifest.name, manifest.version, sha256(bundle.folder / MANIFEST), str(bundle.folder.resolve())
            ),
            backend=self._backend,
            threads=self._config.threads,
            wire_format=self._config.format,
            machine=here(),
            audio_rate_hz=manifest.audio.rate_hz,
        )

    def _see(self, message: Message) -> None:
        if isinstance(message, CameraPicture):  # for subscribers alone: neither printed, counted nor recorded
            return
        for watcher in list(self._seen_by):
            try:
                watcher(message)
            except Exception:  # what only looks on must not end the run
                log.exception("what looks on at the messages has failed; going on without it")
                self._seen_by.remove(watcher)

    def close(self) -> None:
        """Send what waits, then end."""
        with self._afterwards:
            self._opened.close()


def as_it_is(value: T) -> T:
    """Return the value unchanged: a recording that is played fast keeps its own times."""
    return value


def ignore(_: object) -> None:
    """Do nothing."""
