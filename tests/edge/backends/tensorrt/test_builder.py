"""An engine for each graph: kept, built, built again, by one process at a time; with the real TensorRT-RTX."""

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from edge.backends.tensorrt import cache
from edge.backends.tensorrt.backend import TensorRTBackend
from edge.backends.tensorrt.builder import Target, targets_for
from edge.backends.tensorrt.platform import Device, TensorRTVariant
from edge.bundle.load import Bundle, sha256
from edge.bundle.manifest import File
from edge.errors import EngineError
from tests.edge.backends.tensorrt import made_engines as made
from tests.edge.backends.tensorrt import made_tensorrt

ROOT = Path(__file__).parents[4]
GRAPH = "image_encoder"
DEVICE = Device("NVIDIA RTX A6000", "8.6", "580")
ASK = """
import sys
from pathlib import Path
from edge.bundle.load import load, sha256
from edge.backends.tensorrt.builder import Target
from edge.backends.tensorrt.platform import find_tensorrt
from tests.edge.backends.tensorrt import made_engines as made
class Told:
    append = staticmethod(lambda line: print(line, flush=True))
target = Target(find_tensorrt("tensorrt-rtx"), "8.6", None)
print(len(made.engine_builder(Told).provide(load(Path(sys.argv[1])), "image_encoder", [target])))
"""
KILLED = """
import os, signal
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def target(rtx: TensorRTVariant) -> Target:
    """Any GPU of 8.6, ahead of time."""
    return Target(rtx, "8.6", None)


def place(bundle: Bundle, target: Target) -> Path:
    """Where its new engine goes."""
    return cache.paths(bundle, target.key(bundle, GRAPH), GRAPH)[0]


@pytest.fixture
def locked_away(copied: Bundle, monkeypatch, tmp_path) -> Path:
    """The bundle cannot be written to, for root neither; the user's cache."""
    monkeypatch.setattr(cache.os, "access", lambda path, mode: not Path(path).is_relative_to(copied.folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


def test_an_engine_is_built_at_first_and_read_from_then_on(copied: Bundle, target: Target, told: list[str]) -> None:
    engine_builder = made.engine_builder(told)
    content = engine_builder.provide(copied, GRAPH, [target])
    file = place(copied, target)
    assert file.is_relative_to(copied.folder / "engines")
    assert told[0] == f"building image_encoder (fp32) for {file.parent.name}: there is none yet"
    assert told[1].startswith(f"{file}: {file.stat().st_size / 1e6:.1f} MB in ")
    told.clear()
    before = file.stat().st_mtime_ns
    assert engine_builder.provide(copied, GRAPH, [target]) == content
    assert told == []
    assert file.stat().st_mtime_ns == before


def test_an_engine_that_is_damaged_or_foreign_is_built_anew_and_that_is_said(
    copied: Bundle, target: Target, told: list[str]
) -> None:
    key, file = target.key(copied, GRAPH), place(copied, target)
    file.parent.mkdir(parents=True)
    foreign = {"version": "1.4.0.76", "graph_sha256": ["ab" * 32]}
    for name, other in (*foreign.items(), ("damaged", None), ("empty", None)):
        cache.write(file, replace(key, **{name: other}) if other else key, memoryview(b"content"))
        if name == "damaged":
            file.write_bytes(file.read_bytes()[:-1] + b"T")
        if name == "empty":
            file.write_bytes(b"")
        told.clear()
        content = made.engine_builder(told).provide(copied, GRAPH, [target])
        reason = f"its {name} is {other}, here {getattr(key, name)}" if other else "it is damaged"
        assert f": {reason}" in told[0]
        assert cache.read(file, key) == content
        assert content != b"content"


def test_an_engine_is_built_again_where_that_is_asked_for(copied: Bundle, target: Target, told: list[str]) -> None:
    file = place(copied, target)
    file.parent.mkdir(parents=True)
    cache.write(file, target.key(copied, GRAPH), memoryview(b"whole, as far as can be told"))
    engine_builder = made.engine_builder(told)
    assert engine_builder.build(copied, GRAPH, target, "asked for") == b"whole, as far as can be told"
    assert told == []
    with pytest.raises(KeyboardInterrupt):
        made.engine_builder([], patience=9).build(copied, GRAPH, target, "asked for", again=True)
    assert cache.read(file, target.key(copied, GRAPH)) == b"whole, as far as can be told"
    content = engine_builder.build(copied, GRAPH, target, "asked for", again=True)
    assert told[0].endswith(": asked for")
    assert cache.read(file, target.key(copied, GRAPH)) == content


def test_a_device_uses_an_engine_of_its_capability_and_its_own_before_that(
    copied: Bundle, rtx: TensorRTVariant, target: Target, told: list[str]
) -> None:
    engine_builder = made.engine_builder(told)
    ahead = engine_builder.provide(copied, GRAPH, [target])
    targets = targets_for(rtx, DEVICE)
    assert targets == [Target(rtx, "8.6", DEVICE), target]
    told.clear()
    assert engine_builder.provide(copied, GRAPH, targets) == ahead
    assert told == []
    own = place(copied, targets[0])
    own.parent.mkdir(parents=True)
    cache.write(own, targets[0].key(copied, GRAPH), memoryview(b"its own"))
    assert engine_builder.provide(copied, GRAPH, targets) == b"its own"


def test_engines_of_tensorrt_itself_are_for_one_device_alone() -> None:
    plain = TensorRTVariant("tensorrt", "10.3.0", None)
    assert targets_for(plain, DEVICE) == [Target(plain, "8.6", DEVICE)]


@pytest.mark.parametrize("other", [Device("NVIDIA RTX A4000", "8.6", "580"), Device("NVIDIA RTX A6000", "8.6", "590")])
def test_another_gpu_or_driver_has_engines_of_its_own(copied: Bundle, rtx: TensorRTVariant, other: Device) -> None:
    assert place(copied, targets_for(rtx, other)[0]) != place(copied, targets_for(rtx, DEVICE)[0])


def test_an_engine_depends_on_weights_that_lie_outside_of_the_graph(copied: Bundle, target: Target) -> None:
    graphs = copied.manifest.graphs
    entry = replace(graphs.image_encoder, weights=File("image_encoder.data", "a" * 64))
    graphs = replace(graphs, image_encoder=entry)
    key = target.key(replace(copied, manifest=replace(copied.manifest, graphs=graphs)), GRAPH)
    assert key.graph_sha256 == [entry.file.sha256, "a" * 64]


def test_a_build_that_fails_or_is_stopped_leaves_nothing_and_the_next_may_build(
    copied: Bundle, target: Target, told: list[str]
) -> None:
    graph = copied.folder / "image_encoder.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(b"no graph")
    with pytest.raises(EngineError, match="cannot read"):
        made.engine_builder(told).provide(copied, GRAPH, [target])
    graph.write_bytes(whole)
    with pytest.raises(KeyboardInterrupt):
        made.engine_builder(told, patience=9).provide(copied, GRAPH, [target])
    assert [file.name for file in place(copied, target).parent.iterdir()] == [cache.LOCK]
    assert made.engine_builder(told).provide(copied, GRAPH, [target])


@pytest.mark.parametrize("trouble", ["a full disk", "a folder in its place"])
def test_an_engine_that_cannot_be_written_is_an_error_with_a_remedy(
    copied: Bundle, target: Target, told: list[str], monkeypatch, trouble: str
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    if trouble == "a full disk":
        monkeypatch.setattr(cache.os, "fsync", full)
    else:
        place(copied, target).mkdir(parents=True)
    with pytest.raises(EngineError, match=rf"^{place(copied, target)} cannot be written \(.*\); make room, or move "):
        made.engine_builder(told).provide(copied, GRAPH, [target])


def test_an_engine_that_came_with_a_read_only_bundle_is_used(
    copied: Bundle, target: Target, told: list[str], locked_away: Path
) -> None:
    """Such as in a container's image, built ahead of time."""
    file = cache.paths(copied, target.key(copied, GRAPH), GRAPH)[1]
    assert file.is_relative_to(copied.folder)
    cache.write(file, target.key(copied, GRAPH), memoryview(b"ahead of time"))
    assert made.engine_builder(told).provide(copied, GRAPH, [target]) == b"ahead of time"
    assert told == []
    assert not locked_away.exists()


def test_a_new_engine_of_a_read_only_bundle_goes_to_the_users_cache(
    copied: Bundle, target: Target, told: list[str], locked_away: Path
) -> None:
    content = made.engine_builder(told).provide(copied, GRAPH, [target])
    assert place(copied, target).is_relative_to(locked_away)
    assert cache.read(place(copied, target), target.key(copied, GRAPH)) == content
    assert not (copied.folder / "engines").exists()


def test_what_a_killed_write_left_goes_with_the_next_build(copied: Bundle, target: Target, told: list[str]) -> None:
    file = place(copied, target)
    killed = subprocess.run([sys.executable, "-c", KILLED + ASK, str(copied.folder)], cwd=ROOT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    (left,) = {each.name for each in file.parent.iterdir()} - {cache.LOCK}
    assert left.startswith(".image_encoder.engine-")
    others = file.with_name(".fusion.engine-half")
    others.write_bytes(b"")
    made.engine_builder(told).provide(copied, GRAPH, [target])
    assert {each.name for each in file.parent.iterdir()} == {cache.LOCK, file.name, others.name}


def test_two_processes_that_ask_at_once_build_once(copied: Bundle, target: Target) -> None:
    file = place(copied, target)
    command = [sys.executable, "-c", ASK, str(copied.folder)]
    with cache.locked(file.parent, print, bool):
        asking = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for process in asking:
            assert process.stdout.readline().startswith("waiting for another process")
    outputs = [process.communicate(timeout=60)[0].splitlines() for process in asking]
    assert [process.returncode for process in asking] == [0, 0]
    assert len(made.built([line for output in outputs for line in output])) == 1
    header = msgspec.json.decode(file.read_bytes().split(b"\n", 1)[0], type=cache.Header)
    assert header.key.graph_sha256 == [sha256(copied.path(copied.manifest.graphs.image_encoder.file))]
    size = len(cache.read(file, target.key(copied, GRAPH)))
    assert [output[-1] for output in outputs] == [str(size)] * 2


def test_timings_are_kept_for_the_next_build(monkeypatch, copied: Bundle, told: list[str]) -> None:
    """Of TensorRT itself, which is made here: it times kernels on the GPU."""
    gpu = made_tensorrt.installed(monkeypatch)
    TensorRTBackend(copied, made.engine_builder(told))
    assert (gpu.calls["timed afresh"], gpu.calls["timed before"]) == (1, 2)
    (kept,) = copied.folder.glob("engines/*/timing.cache")
    assert kept.read_bytes() == made_tensorrt.TIMINGS
