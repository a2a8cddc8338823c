"""Metrics of a fleet for Prometheus, by node."""

from collections.abc import Iterator, Sequence
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ..wire.control_messages import NodePresence, NodeState


def fleet_metrics(states: Sequence[NodeState]) -> Iterator[Metric]:
    """Yield the metrics that follow from the states of the nodes."""
    yield state_metric(states)
    yield from counters(states)
    yield from clock_metrics(states)


def state_metric(states: Sequence[NodeState]) -> Metric:
    """Return 1 for the state that each node is in, 0 for the others."""
    family = GaugeMetricFamily("foal_node_state", "1 for the state the node is in.", labels=["node", "state"])
    for node in states:
        for state in get_args(NodePresence):
            family.add_metric([node.name, state], state == node.state)
    return family


def counters(states: Sequence[NodeState]) -> Iterator[Metric]:
    """Yield the counters of messages."""
    received = CounterMetricFamily("foal_node_received", "Messages of the node that were forwarded.", labels=["node"])
    missed = CounterMetricFamily("foal_node_missed", "Messages of the node that never came.", labels=["node"])
    refused = CounterMetricFamily(
        "foal_node_refused", "Messages of the node that were not forwarded, by reason.", labels=["node", "reason"]
    )
    for node in states:
        received.add_metric([node.name], node.received)
        missed.add_metric([node.name], node.missed)
        for reason, count in node.refused.items():
            refused.add_metric([node.name, reason], count)
    yield from (received, missed, refused)


def clock_metrics(states: Sequence[NodeState]) -> Iterator[Metric]:
    """Yield the gauges of time: of nodes whose clocks are measured, and of those that were heard."""
    offset = GaugeMetricFamily(
        "foal_node_clock_offset_seconds", "Unix time of the node less that of the proxy.", labels=["node"]
    )
    delay = GaugeMetricFamily(
        "foal_node_delay_seconds", "From the publishing of the newest message to its arrival.", labels=["node"]
    )
    silence = GaugeMetricFamily("foal_node_silence_seconds", "Time since the node's last message.", labels=["node"])
    for node in states:
        for family, value, unit in (
            (offset, node.unix_offset_ns, 1e9),
            (delay, node.delay_ms, 1e3),
            (silence, node.silence_s, 1.0),
        ):
            if value is not None:
                family.add_metric([node.name], value / unit)
    yield from (offset, delay, silence)
