"""What a benchmark found: one document, as JSON, from which the tables and plots are drawn and comparisons made.

Times are milliseconds. Samples are kept one by one, in the order in which they were taken.
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
    """What was measured on."""

    cpu: str
    cores: int
    memory_mb: int
    gpu: str | None
    system: str
    versions: dict[str, str]
    """Of Python and the packages whose versions matter."""
    commit: str | None
    """Of the checkout that the program ran from; null where it was installed."""
    clocks_mhz: list[float]
    """Of each core at the beginning; empty where the platform does not tell."""
    governor: str | None
    """Of the CPU's clock."""
    power_mode: str | None
    """On a Jetson (nvpmodel); elsewhere the platform's profile."""
    temperature_c: float | None
    """The warmest sensor at the beginning."""


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """How steady the machine was: the same small work, timed again and again between the measurements."""

    work_ms: list[float]
    stolen: float
    """Share (0 to 1) of the CPU time that the hypervisor took."""
    others: float
    """Share (0 to 1) of the CPU time that other processes took."""
    complaints: list[str]
    """What makes the figures doubtful, for people; empty on a quiet machine."""


class Roof(msgspec.Struct, frozen=True, kw_only=True):
    """What this machine does at best."""

    gemm_gflops: float
    """float32 matrix product, all cores that the run may use."""
    copy_gbps: float
    """Bytes read and written in copying memory larger than the caches."""


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run one bundle."""

    name: str
    """Unique in the document, e.g. `foal-nano onnxruntime-cpu`."""
    bundle: str
    """Name and version."""
    manifest_sha256: str
    precision: dict[str, str]
    """Of each graph."""
    backend: str
    about: str
    """What it runs on, for people."""
    difference: float
    """Largest difference of a golden output, as a share of its tolerance; at most 1 where it computes the same."""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One thing measured again and again."""

    scenario: Scenario
    what: str
    """What is counted, e.g. `a window`, or a stage's name."""
    contender: str
    """The name of one; empty where it is the same for all, as decoding is."""
    size: int = 1
    """Streams, or the rows of a batch."""
    rate: float | None = None
    """Windows a second, where they arrive by chance."""
    samples_ms: list[float]
    warm_up_ms: list[float] = []
    """Before them, not counted."""
    device_ms: list[float] = []
    """Of the same, spent on the GPU; empty where the host computes."""
    stopped: str | None = None
    """Why there are fewer samples than the percentile of this scenario needs."""
    cpu_s: float | None = None
    """CPU time of all of it, of the process that ran it."""
    peak_mb: float | None = None
    """Largest resident memory of the process that ran it."""
    energy_j: float | None = None
    """Of the whole device while it ran; null where the platform does not tell."""
    gflop: float | None = None
    """Floating-point operations of one sample, in 10^9."""
    moved_mb: float | None = None
    """Bytes that one sample must at least move: weights, inputs and outputs."""
    lasted_s: float | None = None
    """Live: how long the windows took to come."""
    counts: dict[str, int] = {}
    """Live: `windows`, and drops by reason."""
    stages_ms: dict[str, list[float]] = {}
    """Live: each window's stages, as in the messages' `latency_ms`."""


class Naive(msgspec.Struct, frozen=True, kw_only=True):
    """Each frame encoded once, against every frame of every window again."""

    contender: str
    once_cpu_ms: list[float]
    """CPU time of a window."""
    again_cpu_ms: list[float]
    """The same windows, in turn with those."""
    difference: float
    """Largest of any probability."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """`foal-edge bench --json`."""

    schema: int = SCHEMA
    date: str
    """ISO 8601, UTC."""
    command: str
    recording: str
    """What was played."""
    hop_s: float
    window_s: float
    picture_hz: float
    """Frames of a stream that are looked at a second."""
    energy: str = ""
    """What told the energy; empty where nothing does."""
    machine: Machine
    noise: Noise
    roof: Roof
    contenders: list[Contender]
    """The first is what the others are compared with."""
    series: list[Series]
    naive: list[Naive] = []
    failed: list[str] = []
    """Parts that broke before they were measured, and why."""


def write(document: Document, path: Path) -> None:
    """As JSON, readable."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1))
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); give --json another place") from error


def read(path: Path) -> Document:
    """UsageError where it is none."""
    if is_there(path):
        check_file(path, "give a file that bench --json wrote")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); give a file that bench --json wrote") from error
    try:
        document = msgspec.json.decode(content, type=Document)
    except UNREADABLE as error:
        problem = explain(error, content, Document)
        raise UsageError(f"{path} is no document of foal-edge bench ({problem}); give one that --json wrote") from error
    if document.schema != SCHEMA:
        raise UsageError(f"{path} has schema {document.schema}, this program reads {SCHEMA}; measure again")
    return document
