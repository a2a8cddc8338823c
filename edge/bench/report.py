"""Report of a benchmark: one JSON document, from which the tables and plots are drawn and comparisons are made.

Times are milliseconds. Samples are kept one by one, in the order in which they were taken. The JSON keys are those of
schema 1; a field whose key is another names it.
"""

from pathlib import Path
from typing import Literal

import msgspec

from ..errors import UsageError
from ..system.files import check_file, is_there
from ..validation import UNREADABLE, explain

SCHEMA = 1

Scenario = Literal["single stream", "multi stream", "server", "offline", "live", "cold start", "after idle", "stage"]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Machine on which the benchmark ran."""

    cpu: str
    cores: int
    memory_mb: int
    gpu: str | None
    system: str
    versions: dict[str, str]
    """Versions of Python and of the packages that matter."""
    commit: str | None
    """Commit of the checkout that the program ran from; null where it was installed."""
    clocks_mhz: list[float]
    """Clock of each core at the beginning; empty where the platform does not report it."""
    governor: str | None
    """CPU frequency governor."""
    power_mode: str | None
    """Power mode of a Jetson (nvpmodel); elsewhere the platform's profile."""
    temperature_c: float | None
    """Temperature of the warmest sensor at the beginning."""


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """Steadiness of the machine: the same small computation, timed repeatedly between the measurements."""

    probe_ms: list[float] = msgspec.field(name="work_ms")
    """Duration of each probe."""
    steal_share: float = msgspec.field(name="stolen")
    """Share (0 to 1) of the CPU time that the hypervisor took."""
    other_share: float = msgspec.field(name="others")
    """Share (0 to 1) of the CPU time that other processes took."""
    warnings: list[str] = msgspec.field(name="complaints")
    """Reasons to doubt the figures, for people; empty on a quiet machine."""


class Roofline(msgspec.Struct, frozen=True, kw_only=True):
    """Peak compute and memory throughput of the machine, as measured."""

    gemm_gflops: float
    """GFLOP/s of a float32 matrix product on all cores that the run may use."""
    copy_gbps: float
    """GB/s, read and written, of copying memory that is larger than the caches."""


class CandidateInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Description of a candidate: one way to run one bundle."""

    name: str
    """Name, unique in the report, e.g. `foal-nano onnxruntime-cpu`."""
    bundle: str
    """Name and version of the bundle."""
    manifest_sha256: str
    precision: dict[str, str]
    """Precision of each graph."""
    backend: str
    about: str
    """Device and settings that it runs on, for people."""
    difference: float
    """Largest difference of a golden output, as a share of its tolerance; at most 1 for a correct backend."""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Repeated measurements of one operation."""

    scenario: Scenario
    operation: str = msgspec.field(name="what")
    """Operation that one sample times, e.g. `a window`, or the name of a stage."""
    candidate: str = msgspec.field(name="contender")
    """Name of the candidate; empty where the operation is the same for all, such as decoding."""
    size: int = 1
    """Number of streams, or of rows in a batch."""
    arrivals_per_s: float | None = msgspec.field(default=None, name="rate")
    """Mean rate of windows that arrive at random."""
    samples_ms: list[float]
    warm_up_ms: list[float] = []
    """Durations of the warm-up runs before the samples; not counted."""
    device_ms: list[float] = []
    """GPU time of each sample; empty where the host computes."""
    stop_reason: str | None = msgspec.field(default=None, name="stopped")
    """Reason for fewer samples than the percentile of this scenario needs."""
    cpu_s: float | None = None
    """CPU time of all samples together, of the process that ran them."""
    peak_mb: float | None = None
    """Largest resident memory of the process that ran it."""
    energy_j: float | None = None
    """Energy of the whole device during the samples; null where the platform does not report it."""
    gflop: float | None = None
    """FLOPs of one sample, in 10^9."""
    traffic_mb: float | None = msgspec.field(default=None, name="moved_mb")
    """Least memory traffic of one sample, in 10^6 bytes: weights, inputs and outputs."""
    duration_s: float | None = msgspec.field(default=None, name="lasted_s")
    """Wall-clock time over which the windows of a live run came."""
    counts: dict[str, int] = {}
    """Counters of a live run: `windows`, and drops by reason."""
    stages_ms: dict[str, list[float]] = {}
    """Stages of each window of a live run, as in the messages' `latency_ms`."""


class NaiveComparison(msgspec.Struct, frozen=True, kw_only=True):
    """CPU time with each frame encoded once, against encoding every frame of every window again."""

    candidate: str = msgspec.field(name="contender")
    cached_cpu_ms: list[float] = msgspec.field(name="once_cpu_ms")
    """CPU time of each window whose earlier embeddings are kept."""
    naive_cpu_ms: list[float] = msgspec.field(name="again_cpu_ms")
    """CPU time of the same windows with all their frames encoded, interleaved with the others."""
    difference: float
    """Largest difference of any probability between the two."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `foal-edge bench --json` writes."""

    schema: int = SCHEMA
    date: str
    """Date and time, ISO 8601, UTC."""
    command: str
    recording: str
    """Recording that was played."""
    hop_s: float
    window_s: float
    frame_rate_hz: float = msgspec.field(name="picture_hz")
    """Frames per second that a stream processes."""
    energy_source: str = msgspec.field(default="", name="energy")
    """Meters that measured the energy; empty where there are none."""
    machine: Machine
    noise: Noise
    roofline: Roofline = msgspec.field(name="roof")
    candidates: list[CandidateInfo] = msgspec.field(name="contenders")
    """Candidates; the others are compared with the first."""
    series: list[Series]
    naive: list[NaiveComparison] = []
    failed: list[str] = []
    """Parts that failed, and why."""


def write_report(report: Report, path: Path) -> None:
    """Write a report as indented JSON; UsageError where the file cannot be written."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); give --json another place") from error


def read_report(path: Path) -> Report:
    """Read a report; UsageError where the file is none."""
    if is_there(path):
        check_file(path, "give a file that bench --json wrote")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); give a file that bench --json wrote") from error
    try:
        report = msgspec.json.decode(content, type=Report)
    except UNREADABLE as error:
        problem = explain(error, content, Report)
        raise UsageError(f"{path} is no report of foal-edge bench ({problem}); give one that --json wrote") from error
    if report.schema != SCHEMA:
        raise UsageError(f"{path} has schema {report.schema}, this program reads {SCHEMA}; measure again")
    return report
