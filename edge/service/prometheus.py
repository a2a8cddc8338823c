"""What Prometheus may scrape: metrics that follow from the published messages, served over HTTP."""

import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args
from wsgiref.simple_server import make_server

from prometheus_client import CollectorRegistry, Histogram, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..errors import PublishError
from ..system.versions import program_version
from ..wire.drop_reasons import PER_RUN
from ..wire.messages import (
    AudioState,
    Latency,
    Message,
    Prediction,
    Stats,
    Status,
    SteadyState,
    StreamState,
    VideoState,
)
from .http_server import Handler, Server, only_by_name

LOOPBACK = "127.0.0.1"
BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)


class MetricsEndpoint:
    """Serves metrics until it is closed; `observe` is told every message once it is out.

    All that is counted is of one session: with the first message of another it begins at zero, as Prometheus expects
    of a program that was started again.
    """

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self._session = SessionMetrics("")
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Scraped(self))
        page = only_by_name(make_wsgi_app(registry))
        try:
            self._server = make_server(host, port, page, server_class=Server, handler_class=Handler)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise PublishError(
                f"cannot serve metrics at {host} port {port}: {reason}; "
                "give another --metrics-port, from 1024 to 65535 and used by no other program, or 0 for any"
            ) from error
        self.port = self._server.server_port
        """Where it listens; never 0."""
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
        self._thread.start()

    def observe(self, message: Message) -> None:
        """Take a message into account; a few microseconds, whatever is being scraped."""
        if message.session != self._session.name:
            self._session = SessionMetrics(message.session)
        self._session.observe(message)

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now."""
        return self._session.collect()

    def _serve(self) -> None:
        while not self._is_closed:
            self._server.handle_request()

    def close(self) -> None:
        """Stop serving, at once."""
        self._is_closed = True
        self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, which waits without looking at a clock
        self._thread.join()
        self._server.server_close()


class Scraped(Collector):
    """What the registry asks at every scrape."""

    def __init__(self, metrics_endpoint: MetricsEndpoint) -> None:
        self._exposition = metrics_endpoint

    def collect(self) -> Iterable[Metric]:
        """All metrics as they are now."""
        return self._exposition.collect()


class SessionMetrics:
    """What one session's messages add up to.

    One thread observes and others collect, without a lock between them: the latest messages are immutable, and a dict
    is copied in one step before it is gone through.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._stages = Histogram(
            "foal_stage_seconds",
            "Time spent on a window, by stage; total runs from its newest sample to its publishing.",
            ["stream", "stage"],
            buckets=BUCKETS_S,
            registry=None,
        )
        self._predictions: Counter[tuple[str, str]] = Counter()
        self._events: Counter[tuple[str, str]] = Counter()
        self._dropped: dict[tuple[str, str], int] = {}
        self._last: dict[str, Prediction] = {}
        self._statuses: dict[str, Status] = {}
        self._stats: Stats | None = None

    def observe(self, message: Message) -> None:
        """Take a message into account."""
        if isinstance(message, Prediction):
            self._count(self._predictions, message)
            self._last[message.stream] = message
            for stage in Latency.__struct_fields__:
                # A sum may not fall, and sound whose fitted clock is ahead can end after its publishing.
                seconds = max(0.0, getattr(message.latency_ms, stage) / 1000)
                self._stages.labels(message.stream, stage).observe(seconds)
            self._drop(message.stream, message.dropped)
        elif isinstance(message, SteadyState):
            self._count(self._events, message)
        elif isinstance(message, Status):
            self._statuses[message.stream] = message
            self._drop(message.stream, message.dropped)
        else:
            self._stats = message
            self._drop("", {reason: message.dropped.get(reason, 0) for reason in PER_RUN})

    @staticmethod
    def _count(counted: Counter[tuple[str, str]], message: Prediction | SteadyState) -> None:
        for label in message.labels:
            counted[message.stream, label] += 0  # a label's rate is known only from a zero on
        counted[message.stream, message.label] += 1

    def _drop(self, stream: str, dropped: dict[str, int]) -> None:
        for reason, count in dropped.items():
            key = ("" if reason in PER_RUN else stream, reason)
            self._dropped[key] = max(count, self._dropped.get(key, 0))

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now; a stream or a figure that no message has told of yet is left out."""
        for family in self._stages.collect():
            # The library adds when each series began: as many series again, of which nobody asks.
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family
        yield counter("foal_predictions", "Predictions published, by label.", "label", self._predictions)
        yield counter("foal_events", "Changes of the steady state, by the label it changed to.", "label", self._events)
        about = "Frames, blocks, windows and messages dropped; messages are counted of all streams, and name none."
        yield counter("foal_dropped", about, "reason", self._dropped)
        last, statuses = list(self._last.values()), list(self._statuses.values())
        yield from of_predictions(last)
        yield from of_statuses(statuses)
        if self._stats is not None:
            yield from of_stats(self._stats)


def counter(name: str, about: str, label: str, counted: dict[tuple[str, str], int]) -> Metric:
    """Totals by stream and one label more."""
    family = CounterMetricFamily(name, about, labels=["stream", label])
    for key, count in list(counted.items()):
        family.add_metric(key, count)
    return family


def of_predictions(last: list[Prediction]) -> Iterator[Metric]:
    """What each stream's newest prediction says."""
    ends = GaugeMetricFamily(
        "foal_last_window_end_timestamp_seconds",
        "Capture time of the newest evidence predicted from.",
        labels=["stream"],
    )
    confidence = GaugeMetricFamily("foal_confidence_ratio", "Confidence of the last prediction.", labels=["stream"])
    for prediction in last:
        ends.add_metric([prediction.stream], prediction.t_end / 1e9)
        confidence.add_metric([prediction.stream], prediction.confidence)
    yield ends
    yield confidence
    build = GaugeMetricFamily("foal_build_info", "What runs; always 1.", labels=["version", "bundle", "backend"])
    for bundle, backend in {(prediction.bundle, prediction.backend) for prediction in last}:
        build.add_metric([program_version(), bundle, backend], 1)
    yield build


def of_statuses(statuses: list[Status]) -> Iterator[Metric]:
    """What each stream's newest status says; of its states one is 1, the others are 0."""
    streams = GaugeMetricFamily("foal_stream_state", "1 for the state the stream is in.", labels=["stream", "state"])
    devices = GaugeMetricFamily(
        "foal_device_state", "1 for the state the device is in.", labels=["stream", "device", "state"]
    )
    hops = GaugeMetricFamily("foal_hop_seconds", "Time between two predictions of a stream.", labels=["stream"])
    for status in statuses:
        hops.add_metric([status.stream], status.hop_s)
        for state in get_args(StreamState):
            streams.add_metric([status.stream, state], state == status.state)
        for device, states, now in (("audio", AudioState, status.audio), ("video", VideoState, status.video)):
            for state in get_args(states):
                devices.add_metric([status.stream, device, state], state == now)
    yield from (streams, devices, hops)


def of_stats(stats: Stats) -> Iterator[Metric]:
    """What the runtime says of itself."""
    yield GaugeMetricFamily("foal_uptime_seconds", "Time since the session began.", value=stats.uptime_s)
    yield GaugeMetricFamily("foal_busy_ratio", "Share of the last second in which it inferred.", value=stats.busy)
    queues = GaugeMetricFamily("foal_queue_length", "What waits now, by queue.", labels=["queue"])
    for name, length in stats.queues.items():
        queues.add_metric([name], length)
    yield queues
