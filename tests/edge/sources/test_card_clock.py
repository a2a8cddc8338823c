"""The fitted clock of a sound card, against cards whose true times are known and against numpy's least squares."""

from collections.abc import Callable

import numpy as np
import pytest

from edge.sources.card_clock import CardClock

RATE_HZ = 16000
BLOCK = 320
BEGIN_NS = 5_000_000_000_000
MS = 1_000_000
Lateness = Callable[[np.random.Generator, int], np.ndarray]


def usual(random: np.random.Generator, n: int) -> np.ndarray:
    """Seconds by which observations are late: a scheduler's delays, and now and then up to 80 ms."""
    return (
        random.normal(0, 2e-4, n)
        + random.exponential(3e-3, n)
        + (random.random(n) < 0.005) * random.uniform(0, 0.08, n)
    )


def rough(random: np.random.Generator, n: int) -> np.ndarray:
    """10 ms of noise to both sides, and one in a hundred 80 ms late."""
    return random.normal(0, 0.01, n) + (random.random(n) < 0.01) * 0.08


def card(n: int, ppm: float | np.ndarray, block: int = BLOCK) -> tuple[np.ndarray, np.ndarray]:
    """Counts `[n]`, and the true times `[n]` of a card that is fast by so much, or by `ppm[i]` in block i."""
    counts = np.arange(1, n + 1) * block
    passed_s = np.cumsum(np.broadcast_to(block / (RATE_HZ * (1 + 1e-6 * np.asarray(ppm))), n))
    return counts, BEGIN_NS + np.round(1e9 * passed_s).astype(np.int64)


def fitted(counts: np.ndarray, observed_ns: np.ndarray, clock: CardClock | None = None) -> np.ndarray:
    clock = clock or CardClock(RATE_HZ)
    # long after: what arrives when is no bound here
    pairs = zip(counts.tolist(), observed_ns.tolist(), strict=True)
    return np.array([clock.end_ns(count, observed, observed + 10**9) for count, observed in pairs])


def late(true_ns: np.ndarray, lateness: Lateness, seed: int = 0) -> np.ndarray:
    return true_ns + np.round(1e9 * lateness(np.random.default_rng(seed), len(true_ns))).astype(np.int64)


def test_eight_hours_of_a_card_that_is_200_ppm_fast(record_property) -> None:
    counts, true_ns = card(8 * 3600 * 50, 200)
    clock = CardClock(RATE_HZ)
    ends_ns = fitted(counts, late(true_ns, usual), clock)
    wrong_ms = np.abs(ends_ns - true_ns).max() / MS
    by_count_ms = abs(counts[-1] * 1_000_000_000 / RATE_HZ - (true_ns[-1] - BEGIN_NS)) / MS
    record_property(
        "measured",
        f"8 h at +200 ppm, {len(counts)} blocks: wrong by at most {wrong_ms:.1f} ms; by the samples' count alone "
        f"{by_count_ms:.0f} ms; drift found {clock.drift_ppm:.1f} ppm",
    )
    assert wrong_ms < 20
    assert by_count_ms > 5000
    assert clock.drift_ppm == pytest.approx(200, abs=2)
    assert (np.diff(ends_ns) > 0).all()


@pytest.mark.parametrize("lateness", [usual, rough])
@pytest.mark.parametrize("ppm", [-200.0, 50.0])
def test_hours_of_other_cards(ppm: float, lateness: Lateness, record_property) -> None:
    counts, true_ns = card(8 * 3600 * 5, ppm, block=10 * BLOCK)
    wrong_ms = np.abs(fitted(counts, late(true_ns, lateness)) - true_ns) / MS
    record_property(
        "measured", f"8 h at {ppm:+.0f} ppm, {lateness.__name__} jitter: at most {wrong_ms[10:].max():.1f} ms"
    )
    assert wrong_ms[10:].max() < 20


def test_a_card_that_warms_up_is_followed() -> None:
    ppm = 40 * (1 - np.exp(-np.arange(3600 * 50) / (900 * 50)))
    counts, true_ns = card(len(ppm), ppm)
    clock = CardClock(RATE_HZ)
    assert np.abs(fitted(counts, late(true_ns, usual), clock) - true_ns).max() < 20 * MS
    assert clock.drift_ppm == pytest.approx(ppm[-1], abs=3)


@pytest.mark.parametrize("seed", range(5))
def test_from_a_second_on_even_much_noise_is_smoothed(seed: int) -> None:
    counts, true_ns = card(60 * 50, 50)
    assert np.abs(fitted(counts, late(true_ns, rough, seed), CardClock(RATE_HZ)) - true_ns)[50:].max() < 10 * MS


def test_with_little_noise_it_is_the_line_of_least_squares() -> None:
    counts, true_ns = card(30 * 50, 80)
    observed_ns = late(true_ns, lambda random, n: random.uniform(-0.002, 0.002, n))
    line = np.polynomial.Polynomial.fit(counts, (observed_ns - BEGIN_NS) / 1e9, 1)
    assert fitted(counts, observed_ns)[-1] == pytest.approx(BEGIN_NS + 1e9 * line(counts[-1]), abs=0.2 * MS)


@pytest.mark.parametrize("step_ms", [-400, -60, 60, 150, 5000])
def test_after_lost_or_made_up_samples_it_begins_anew(step_ms: int) -> None:
    counts, true_ns = card(120 * 50, 100)
    true_ns[3000:] += step_ms * MS
    ends_ns = fitted(counts, late(true_ns, usual))
    assert np.abs(ends_ns - true_ns)[:3000].max() < 20 * MS
    assert np.abs(ends_ns - true_ns)[3000 + 75 :].max() < 20 * MS, "a second and a half later"
    assert (np.diff(ends_ns) > 0).all()


def test_a_step_leaves_what_is_known_of_the_drift() -> None:
    counts, true_ns = card(1200 * 50, 150)
    true_ns[-100:] += 300 * MS
    clock = CardClock(RATE_HZ)
    fitted(counts, late(true_ns, usual), clock)
    assert clock.drift_ppm == pytest.approx(150, abs=5)


def test_half_a_second_of_late_blocks_is_no_step() -> None:
    counts, true_ns = card(60 * 50, 0)
    observed_ns = true_ns.copy()
    observed_ns[2000:2025] += 300 * MS
    assert np.abs(fitted(counts, observed_ns) - true_ns).max() < 5 * MS


def test_blocks_that_were_dropped_count() -> None:
    counts, true_ns = card(120 * 50, 200)
    kept = np.delete(np.arange(len(counts)), slice(2000, 4000))
    assert np.abs(fitted(counts[kept], late(true_ns, usual)[kept]) - true_ns[kept]).max() < 20 * MS


def test_counts_that_are_no_whole_nanoseconds_lose_nothing() -> None:
    clock = CardClock(44100)
    counts = [441 * k + k % 2 for k in range(1, 20001)]
    true_ns = [BEGIN_NS + count * 10**9 // 44100 for count in counts]
    ends_ns = [clock.end_ns(count, time, time + 10**9) for count, time in zip(counts, true_ns, strict=True)]
    assert ends_ns[-1] == BEGIN_NS + 441 * 20000 * 10**9 // 44100
    assert all(isinstance(end_ns, int) for end_ns in ends_ns)


def test_nothing_arrives_before_it_was_captured() -> None:
    clock, late_ns = CardClock(RATE_HZ), [15 * MS] * 50 + [0] * 150
    for k, late in enumerate(late_ns, start=1):
        arrived_ns = BEGIN_NS + 20 * MS * k + late
        assert arrived_ns - 20 * MS < clock.end_ns(RATE_HZ // 50 * k, arrived_ns, arrived_ns) <= arrived_ns
