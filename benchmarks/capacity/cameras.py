"""Cameras of a node and the network before it: when each block and each frame arrives, drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.bundle.manifest import Manifest
from edge.clock import SECOND_NS
from edge.preprocess.media import BLOCK_S, Block, Frame, Media


@dataclass(frozen=True)
class Network:
    """Network between cameras and a node, which delays and loses media; all zero for a recording played there."""

    delay_ms: float = 0.0
    """Shortest time from capture to arrival."""
    jitter_ms: float = 0.0
    """Mean of the time that comes on top, drawn anew for each item (exponential)."""
    loss: float = 0.0
    """Share of the items that never arrive."""
    bursts_a_minute: float = 0.0
    """Number of times a minute that all of a camera's media are held back, to arrive together."""
    burst_ms: float = 0.0
    """Duration of such a hold."""
    stragglers: float = 0.0
    """Share of the cameras whose delay and jitter are `straggler_factor` times as long."""
    straggler_factor: float = 10.0
    has_phases: bool = False
    """True where each camera's frames and blocks lie somewhere of their own in the second."""


def arrivals(
    manifest: Manifest, network: Network, seed: tuple[int, ...], begin_ns: int, seconds: float
) -> Iterator[tuple[int, Media]]:
    """Yield the media of one camera from `begin_ns` on with the times at which they arrive, in order.

    The seed is that of the camera. Media of one camera never overtake each other.
    """
    draw = np.random.default_rng(seed)
    slow = network.straggler_factor if draw.random() < network.stragglers else 1.0
    holds = burst_ends(draw, network, begin_ns, seconds)
    picture = np.full((manifest.video.height, manifest.video.width, 3), 128, np.uint8)
    samples = (0.1 * draw.standard_normal(round(BLOCK_S * manifest.audio.rate_hz))).astype(np.float32)
    arrived_ns = begin_ns
    for captured_ns, is_frame in captures(manifest, network, draw, begin_ns, seconds):
        delay_ms = slow * (network.delay_ms + draw.exponential(network.jitter_ms))
        arrived_ns = max(arrived_ns, captured_ns + round(delay_ms * 1e6))
        for held_ns, free_ns in holds:
            if held_ns <= arrived_ns < free_ns:
                arrived_ns = free_ns
        if draw.random() >= network.loss:
            yield arrived_ns, Frame(picture, captured_ns) if is_frame else Block(samples, captured_ns)


def captures(
    manifest: Manifest, network: Network, draw: np.random.Generator, begin_ns: int, seconds: float
) -> Iterator[tuple[int, bool]]:
    """Yield when frames (True) and blocks (False) are captured, in order.

    A camera of the network has a phase of its own, a recording begins with its stream.
    """
    frame_ns, block_ns = SECOND_NS / manifest.video.rate_hz, BLOCK_S * SECOND_NS
    phase = draw.random() if network.has_phases else 0.0
    frames = [(begin_ns + round((n + phase) * frame_ns), True) for n in range(int(seconds * SECOND_NS / frame_ns))]
    blocks = [(begin_ns + round((n + 1 + phase) * block_ns), False) for n in range(int(seconds * SECOND_NS / block_ns))]
    yield from sorted(frames + blocks)


def burst_ends(draw: np.random.Generator, network: Network, begin_ns: int, seconds: float) -> list[tuple[int, int]]:
    """Return begin and end of each hold of one camera, in order."""
    count = draw.poisson(network.bursts_a_minute * seconds / 60)
    begins = np.sort(draw.uniform(0, seconds, count))
    return [(begin_ns + round(at * 1e9), begin_ns + round(at * 1e9 + network.burst_ms * 1e6)) for at in begins]
