"""Metrics for Prometheus, derived from the published messages and served over HTTP."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import get_args
from wsgiref.simple_server import make_server

from prometheus_client import CollectorRegistry, Histogram, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..errors import PublishError
from ..system.versions import program_version
from ..wire.drop_reasons import PER_RUN
from ..wire.evidence import AudioState, Latency, VideoState
from ..wire.messages import UNCERTAIN, Message, Prediction, Stats, Status, SteadyState, StreamState
from .http_server import RequestHandler, ThreadedServer, require_local_host

LOOPBACK = "127.0.0.1"
BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)


class MetricsServer:
    """HTTP server of the metrics that `collect` returns, which serves them in a thread until it is closed."""

    def __init__(self, port: int, collect: Callable[[], Iterable[Metric]], host: str = LOOPBACK) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(MetricsCollector(collect))
        application = require_local_host(make_wsgi_app(registry))
        try:
            self._server = make_server(
                host, port, application, server_class=ThreadedServer, handler_class=RequestHandler
            )
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise PublishError(
                f"cannot serve metrics at {host} port {port}: {reason}; "
                "give another --metrics-port, from 1024 to 65535 and used by no other program, or 0 for any free port"
            ) from error
        self.port = self._server.server_port
        """Port that the server listens at, never 0."""
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._is_closed:
            self._server.handle_request()

    def close(self) -> None:
        """Stop serving at once."""
        self._is_closed = True
        self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, which waits in `accept` without a timeout
        self._thread.join()
        self._server.server_close()


class MetricsEndpoint(MetricsServer):
    """HTTP endpoint of the metrics of a run.

    `observe` every message once it is published. All counters are those of one session: the first message of another
    session resets them, as Prometheus expects of a program that was restarted.
    """

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self._session = SessionMetrics("")
        super().__init__(port, self.collect, host)

    def observe(self, message: Message) -> None:
        """Update the metrics with a published message; takes a few microseconds, also during a scrape."""
        if message.session != self._session.name:
            self._session = SessionMetrics(message.session)
        self._session.observe(message)

    def collect(self) -> Iterator[Metric]:
        """Return the current values of all metrics."""
        return self._session.collect()


class MetricsCollector(Collector):
    """Collector that the registry asks at every scrape."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """Return the current values of all metrics."""
        return self._collect()


class SessionMetrics:
    """Metrics of one session, updated from its messages.

    Of several people their number is told, and no series of one person's: these would grow with everyone who comes.

    One thread observes and others collect, without a lock between them: the latest messages are immutable, and a dict
    is copied in one step before it is iterated over.
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
        self._came: Counter[str] = Counter()
        self._statuses: dict[str, Status] = {}
        self._stats: Stats | None = None

    def observe(self, message: Message) -> None:
        """Update the metrics with a message."""
        if isinstance(message, Prediction):
            self._count_label(self._predictions, message)
            self._last[message.stream] = message
            for stage in Latency.__struct_fields__:
                # A sum may not fall, but audio whose fitted clock is ahead can end after it was published.
                seconds = max(0.0, getattr(message.latency_ms, stage) / 1000)
                self._stages.labels(message.stream, stage).observe(seconds)
            self._update_dropped(message.stream, message.dropped)
        elif isinstance(message, SteadyState):
            self._count_label(self._events, message)
        elif isinstance(message, Status):
            self._statuses[message.stream] = message
            self._came[message.stream] += len(message.came)
            self._update_dropped(message.stream, message.dropped)
        elif isinstance(message, Stats):
            self._stats = message
            self._update_dropped("", {reason: message.dropped.get(reason, 0) for reason in PER_RUN})

    @staticmethod
    def _count_label(counts: Counter[tuple[str, str]], message: Prediction | SteadyState) -> None:
        for label in (*message.labels, UNCERTAIN):
            counts[message.stream, label] += 0  # Prometheus can tell a rate only if the counter was seen at zero
        counts[message.stream, message.label] += 1

    def _update_dropped(self, stream: str, dropped: dict[str, int]) -> None:
        for reason, count in dropped.items():
            key = ("" if reason in PER_RUN else stream, reason)
            self._dropped[key] = max(count, self._dropped.get(key, 0))

    def collect(self) -> Iterator[Metric]:
        """Yield the current values of all metrics; those that no message has given yet are left out."""
        for family in self._stages.collect():
            # The library adds a sample with the creation time of each series, which would double their number.
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family
        yield counter_metric("foal_predictions", "Predictions published, by label.", "label", self._predictions)
        about = "Changes of the steady state, by the label it changed to."
        yield counter_metric("foal_events", about, "label", self._events)
        about = "Frames, blocks, windows and messages dropped; messages are counted of all streams, and name none."
        yield counter_metric("foal_dropped", about, "reason", self._dropped)
        last, statuses = list(self._last.values()), list(self._statuses.values())
        yield from prediction_metrics(last)
        yield from status_metrics(statuses)
        came = CounterMetricFamily("foal_people_came", "People who have come, since the start.", labels=["stream"])
        for stream, count in list(self._came.items()):
            came.add_metric([stream], count)
        yield came
        if self._stats is not None:
            yield from stats_metrics(self._stats)


def counter_metric(name: str, about: str, label: str, counts: dict[tuple[str, str], int]) -> Metric:
    """Return a counter with the label `stream` and one more label."""
    family = CounterMetricFamily(name, about, labels=["stream", label])
    for key, count in list(counts.items()):
        family.add_metric(key, count)
    return family


def prediction_metrics(last: list[Prediction]) -> Iterator[Metric]:
    """Yield the metrics that follow from the last prediction of each stream."""
    ends = GaugeMetricFamily(
        "foal_last_window_end_timestamp_seconds",
        "Capture time of the newest sample or frame of the last prediction.",
        labels=["stream"],
    )
    confidence = GaugeMetricFamily("foal_confidence_ratio", "Confidence of the last prediction.", labels=["stream"])
    for prediction in last:
        ends.add_metric([prediction.stream], prediction.t_end / 1e9)
        confidence.add_metric([prediction.stream], prediction.confidence)
    yield ends
    yield confidence
    about = "Version, bundle and backend that run; always 1."
    build = GaugeMetricFamily("foal_build_info", about, labels=["version", "bundle", "backend"])
    for bundle, backend in {(prediction.bundle, prediction.backend) for prediction in last}:
        build.add_metric([program_version(), bundle, backend], 1)
    yield build


def status_metrics(statuses: list[Status]) -> Iterator[Metric]:
    """Yield the metrics that follow from the last status of each stream: 1 for the current state, 0 for the others."""
    streams = GaugeMetricFamily("foal_stream_state", "1 for the state the stream is in.", labels=["stream", "state"])
    devices = GaugeMetricFamily(
        "foal_device_state", "1 for the state the device is in.", labels=["stream", "device", "state"]
    )
    hops = GaugeMetricFamily("foal_hop_seconds", "Time between two predictions of a stream.", labels=["stream"])
    about = "People who are there; 0 where one person is followed."
    people = GaugeMetricFamily("foal_people", about, labels=["stream"])
    for status in statuses:
        people.add_metric([status.stream], len(status.people))
        hops.add_metric([status.stream], status.hop_s)
        for state in get_args(StreamState):
            streams.add_metric([status.stream, state], state == status.state)
        for device, states, now in (("audio", AudioState, status.audio), ("video", VideoState, status.video)):
            for state in get_args(states):
                devices.add_metric([status.stream, device, state], state == now)
    yield from (streams, devices, hops, people)


def stats_metrics(stats: Stats) -> Iterator[Metric]:
    """Yield the metrics that follow from the last stats."""
    yield GaugeMetricFamily("foal_uptime_seconds", "Time since the session began.", value=stats.uptime_s)
    yield GaugeMetricFamily("foal_busy_ratio", "Share of the last second in which it inferred.", value=stats.busy)
    queues = GaugeMetricFamily("foal_queue_length", "Items waiting now, by queue.", labels=["queue"])
    for name, length in stats.queues.items():
        queues.add_metric([name], length)
    yield queues
