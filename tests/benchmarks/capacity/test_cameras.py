"""Media of a camera arrive in order, as late and as seldom as the network says."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.capacity.cameras import Network, arrivals
from edge.bundle.manifest import Manifest
from edge.preprocess.media import BLOCK_S, Frame

SECONDS = 40.0
WORST = Network(10.0, 5.0, loss=0.1, bursts_a_minute=6, burst_ms=1000, has_phases=True)


def test_a_recording_arrives_as_it_is_captured(shipped_manifest: Manifest) -> None:
    found = list(arrivals(shipped_manifest, Network(), (1,), 7, SECONDS))
    assert all(arrived_ns == item.end_ns for arrived_ns, item in found)
    frames = sum(isinstance(item, Frame) for _, item in found)
    assert frames == SECONDS * shipped_manifest.video.rate_hz
    assert len(found) - frames == SECONDS / BLOCK_S
    assert found[0][1].end_ns == 7


def test_what_is_late_lost_or_held_back_is_so_by_the_seed(shipped_manifest: Manifest) -> None:
    found = list(arrivals(shipped_manifest, WORST, (1, 2), 0, SECONDS))
    again = list(arrivals(shipped_manifest, WORST, (1, 2), 0, SECONDS))
    assert [(at, item.end_ns) for at, item in found] == [(at, item.end_ns) for at, item in again]
    other = list(arrivals(shipped_manifest, WORST, (1, 3), 0, SECONDS))
    assert [at for at, _ in other] != [at for at, _ in found]
    late_ms = np.array([at - item.end_ns for at, item in found]) / 1e6
    assert late_ms.min() >= 10.0
    assert 900 < late_ms.max() < 2500
    # 2,200 items of which a tenth is lost: three standard deviations are 2 %.
    assert len(found) == pytest.approx(0.9 * SECONDS * (1 / BLOCK_S + shipped_manifest.video.rate_hz), rel=0.02)
    times = [at for at, _ in found]
    assert times == sorted(times)


def test_stragglers_are_later(shipped_manifest: Manifest) -> None:
    slow = replace(WORST, stragglers=1.0, bursts_a_minute=0.0)
    assert min(at - item.end_ns for at, item in arrivals(shipped_manifest, slow, (1,), 0, SECONDS)) >= 100_000_000
