"""A small benchmark of two candidates, the second slower, made without measuring anything."""

from collections.abc import Iterator

import msgspec
import numpy as np

from edge.bench.report import CandidateInfo, Machine, NaiveComparison, Noise, Report, Roofline, Series

FIRST, SECOND = "foal-nano onnxruntime-cpu", "foal-nano onnxruntime-cuda"
MACHINE = Machine(
    cpu="Made CPU 1.0",
    cores=4,
    memory_mb=8192,
    gpu=None,
    system="Linux 6.1 x86_64",
    versions={"python": "3.11.7", "onnxruntime": "1.20.1"},
    commit="0123abc",
    clocks_mhz=[1200.0, 3400.0],
    governor="performance",
    power_mode=None,
    temperature_c=44.6,
)
NOISE = Noise(probe_ms=[5.0, 5.1, 5.2, 5.0], steal_share=0.0, other_share=0.01, warnings=[])
ROOFLINE = Roofline(gemm_gflops=100.0, copy_gbps=10.0)
LIVE_SIZES = (1, 2, 4, 8)


def around(middle: float, count: int, seed: int) -> list[float]:
    """Skewed, as latencies are."""
    return (middle * np.random.default_rng(seed).lognormal(0, 0.1, count)).tolist()


def candidate(name: str, **fields) -> CandidateInfo:
    graphs = dict.fromkeys(("image_encoder", "audio_encoder", "fusion"), "fp32")
    about = {"bundle": "foal-nano 1.0", "manifest_sha256": "ab" * 32, "precision": graphs, "backend": "onnxruntime"}
    return CandidateInfo(**{"name": name, **about, "about": "4 threads", "difference": 0.02, **fields})


def live(name: str, size: int, slower: float, seed: int) -> Series:
    """The last size is too much."""
    windows = 120 * size
    audio, fuse = around(4 * size * slower, windows, seed), around(size * slower, windows, seed + 1)
    total = [20 + a + f for a, f in zip(audio, fuse, strict=True)]
    late = 40 if size == LIVE_SIZES[-1] else 0
    return Series(
        scenario="live",
        operation="a window",
        candidate=name,
        size=size,
        samples_ms=total,
        cpu_s=6.0 * size * slower,
        peak_mb=300.0,
        duration_s=60.0,
        counts={"windows": windows, "windows_late": late, "frames_overload": 0},
        stages_ms={
            "encode_video": around(15 * slower, windows, seed),
            "encode_audio": audio,
            "fuse": fuse,
            "total": total,
        },
    )


def series_of(name: str, slower: float, seed: int) -> Iterator[Series]:
    """Every scenario but the stages."""
    for scenario, count, size, rate in (
        ("single stream", 400, 1, None),
        ("multi stream", 80, 4, None),
        ("server", 100, 1, 2.5),
        ("offline", 40, 16, None),
    ):
        samples = around(8 * size * slower, count, seed)
        fields = {"size": size, "arrivals_per_s": rate, "cpu_s": sum(samples) / 500, "peak_mb": 250.0}
        yield Series(scenario=scenario, operation="a window", candidate=name, samples_ms=samples, **fields)
    reason = "after 60 s"
    yield Series(
        scenario="cold start",
        operation="to the first window",
        candidate=name,
        samples_ms=[900.0] * 5,
        stop_reason=reason,
    )
    yield from (live(name, size, slower, seed) for size in LIVE_SIZES)


def stages_of(name: str, slower: float, seed: int) -> Iterator[Series]:
    for stage, middle, gflop in (("image_encoder", 2.0, 0.1), ("audio_encoder", 4.0, 0.2), ("fusion", 1.0, 0.01)):
        for rows in (1, 4, 16):
            yield Series(
                scenario="stage",
                operation=stage,
                candidate=name,
                size=rows,
                samples_ms=around(middle * rows**0.8 * slower, 20, seed + rows),
                device_ms=[0.1] * 20 if name == SECOND else [],
                gflop=gflop * rows,
                traffic_mb=1.0,
                cpu_s=0.1,
            )


REPORT = Report(
    date="2026-01-02T03:04:05Z",
    command="foal-edge bench",
    recording="demo",
    hop_s=0.5,
    frame_rate_hz=5.0,
    window_s=6.0,
    machine=MACHINE,
    noise=NOISE,
    roofline=ROOFLINE,
    candidates=[candidate(FIRST), candidate(SECOND)],
    series=[
        *series_of(FIRST, 1.0, 1),
        *series_of(SECOND, 1.6, 5),
        Series(scenario="stage", operation="decode", candidate="", samples_ms=around(0.5, 20, 9)),
        *stages_of(FIRST, 1.0, 1),
        *stages_of(SECOND, 1.6, 5),
    ],
    naive=[NaiveComparison(candidate=FIRST, cached_cpu_ms=[10.0] * 8, naive_cpu_ms=[40.0] * 8, difference=2e-7)],
)
EMPTY = msgspec.structs.replace(REPORT, candidates=[], series=[], naive=[])
