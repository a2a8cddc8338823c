"""A node runs the runtime's own loop: what it publishes follows from the costs, and is the same each time."""

from msgspec.structs import replace

from benchmarks.capacity.cameras import Network
from benchmarks.capacity.cost import CostModel
from benchmarks.capacity.fleet import FIELD, expected
from benchmarks.capacity.node import NodeSpec, run_node
from edge.live.loop import LINGER_S
from edge.live.stagger import TOGETHER

HOP_NS = 500_000_000
SPEC = NodeSpec(1, 12.0, HOP_NS, Network(), seed=1)


def test_one_stream_takes_what_its_graphs_take(cost: CostModel) -> None:
    """A frame of the hop's end is encoded in the window's pass or after it; one piece of sound, one window."""
    found = run_node(SPEC, cost)
    assert len(found.latencies_ms) == expected(SPEC) + 1  # the window at either end
    window_ms = cost.audio_encoder.ms(1) + cost.fusion.ms(1) + cost.window_ms
    frame_ms = cost.image_encoder.ms(1) + cost.frame_ms
    assert all(window_ms - 1e-6 <= each <= window_ms + 2 * frame_ms + 1e-6 for each in found.latencies_ms)
    assert +found.dropped == {}


def test_streams_that_begin_together_are_one_batch(cost: CostModel) -> None:
    found = run_node(NodeSpec(3 * TOGETHER, 12.0, HOP_NS, Network(), seed=1), cost)
    assert found.fused.count(TOGETHER) > 0.9 * len(found.fused)
    most_ms = 1000 * LINGER_S + 3 * (cost.audio_encoder.ms(TOGETHER) + cost.fusion.ms(TOGETHER)) + 20
    assert max(found.latencies_ms) < most_ms


def test_a_node_that_is_too_slow_drops_and_counts_and_a_longer_hop_helps(cost: CostModel) -> None:
    slow = NodeSpec(24, 20.0, HOP_NS, Network(), seed=1, speed=0.12)
    found = run_node(slow, cost)
    assert len(found.latencies_ms) < expected(slow)
    assert found.dropped["windows_late"] > 0
    adapted = run_node(NodeSpec(24, 20.0, HOP_NS, Network(), seed=1, speed=0.12, adapts=True), cost)
    assert adapted.hop_s > 0.5
    assert adapted.dropped["windows_late"] < found.dropped["windows_late"]


def test_the_same_seed_gives_the_same_to_the_last_digit(cost: CostModel) -> None:
    spec = NodeSpec(4, 12.0, HOP_NS, FIELD, seed=3)
    first, again = run_node(spec, cost), run_node(spec, cost)
    assert first == again
    assert run_node(NodeSpec(4, 12.0, HOP_NS, FIELD, seed=4), cost).latencies_ms != first.latencies_ms
    dearer = run_node(spec, replace(cost, window_ms=5.0))
    assert sum(dearer.latencies_ms) > sum(first.latencies_ms)
