"""Queries: their windows, and the time of their answers."""

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import prove
from edge.bench import stages
from edge.bench.candidates import Candidate, make_candidate, open_candidates, with_unique_names
from edge.bench.energy import Energy
from edge.bench.naive_baseline import compare_with_naive
from edge.bench.sampling import Measurement, Sampling
from edge.bench.scenarios import OFFLINE_WINDOWS, after_idle, closed_loop, make_series, serve, server
from edge.bench.statistics import samples_needed
from edge.bench.workload import cut_windows
from edge.bundle.load import SHIPPED, load
from edge.errors import EngineError
from edge.preprocess.framing import make_framing
from edge.sources.demo import Demo
from tests.edge.backends.tensorrt import made_engines as made


@pytest.fixture(scope="module")
def bundle():
    return load(SHIPPED)


@pytest.fixture(scope="module")
def candidate(bundle) -> Candidate:
    backend = OrtBackend(bundle, 1)
    return make_candidate(bundle, backend, prove(bundle, backend), ("--bundle", str(SHIPPED)))


@pytest.fixture(scope="module")
def windows(bundle, candidate):
    media = list(Demo(bundle.manifest.audio, bundle.manifest.video).read())
    return cut_windows(media, candidate.recognizer, make_framing("face", 64, 64), 0.5)


@pytest.fixture
def sampling() -> Sampling:
    return Sampling(0.5, Energy(()), lambda: None)


class Counting:
    """In place of a recogniser: how many windows and crops each query had."""

    def __init__(self) -> None:
        self.queries: list[tuple[int, int]] = []
        self._crops = 0

    def embed(self, crops: Any) -> None:
        self._crops = len(crops)

    def recognize(self, windows: Any) -> None:
        self.queries.append((len(windows), self._crops))


def counted(candidate: Candidate) -> tuple[Candidate, Counting]:
    counting = Counting()
    return Candidate(candidate.info, candidate.bundle, counting, None), counting  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scenario", "size", "count"), [("single stream", 1, 36), ("multi stream", 4, 368), ("offline", 32, 6)]
)
def test_a_query_is_so_many_windows_with_their_new_frames(candidate, windows, sampling, scenario, size, count) -> None:
    counts, counting = counted(candidate)
    [found] = closed_loop(scenario, [counts], {counts.name: windows}, size, replaced(sampling))
    assert (found.scenario, found.size, len(found.samples_ms), found.stop_reason) == (scenario, size, count, None)
    assert {query[0] for query in counting.queries} == {size}
    assert sum(crops for _, crops in counting.queries) == pytest.approx(2.5 * size * len(counting.queries), rel=0.2)


def replaced(sampling: Sampling) -> Sampling:
    return Sampling(60, sampling.energy, sampling.probe_noise)


def test_a_server_answers_all_that_arrive_and_none_before_it_does(candidate, windows) -> None:
    counts, counting = counted(candidate)
    found = serve(counts, windows, 2000.0, 60)
    assert len(found.samples_ms) == samples_needed(99)
    assert min(found.samples_ms) >= 0
    assert sum(size for size, _ in counting.queries) == samples_needed(99) + len(found.warm_up_ms)


def test_a_server_that_has_no_time_says_so(candidate, windows, sampling) -> None:
    counts, _ = counted(candidate)
    offline = make_series("offline", "windows", counts.name, Measurement(samples_ms=[1000.0]), OFFLINE_WINDOWS)
    found = list(server(counts, windows, offline, sampling))
    assert [each.arrivals_per_s for each in found] == [8.0, 16.0, 24.0]
    assert found[0].stop_reason == "4 of the 368 samples that p99 needs in 0.5 s"


def test_after_idling_one_window_is_timed(candidate, windows, sampling) -> None:
    [found] = after_idle([candidate], {candidate.name: windows}, 0.0, sampling)
    assert len(found.samples_ms) == 1


def test_encoding_every_frame_again_says_the_same_at_more_cost(candidate, windows, sampling) -> None:
    naive = compare_with_naive(candidate, windows, sampling)
    assert naive.difference <= 1e-4
    assert len(naive.cached_cpu_ms) == len(naive.naive_cpu_ms) == len(windows)


def test_golden_rows_are_repeated_to_any_batch(bundle) -> None:
    rows = stages.golden_rows(bundle, "audio_encoder", 8)
    assert rows["waveform"].shape == (8, bundle.manifest.piece_samples)
    np.testing.assert_array_equal(rows["end"][3:6], rows["end"][:3])


def test_every_graph_is_timed_in_every_batch_that_it_takes(candidate, sampling) -> None:
    found = list(stages.graphs([candidate], Sampling(0.02, sampling.energy, sampling.probe_noise)))
    batches = {(each.operation, each.size) for each in found}
    assert batches == {(graph, rows) for graph, sizes in stages.BATCHES.items() for rows in sizes}
    image = {each.size: each.gflop for each in found if each.operation == "image_encoder"}
    assert image[32] == pytest.approx(32 * image[1])


def test_a_prediction_reaches_its_subscriber(sampling) -> None:
    [found] = stages.publish(["calm", "wild"], sampling)
    assert len(found.samples_ms) == samples_needed(90)


def test_decoding_and_framing_are_timed(bundle, sampling) -> None:
    demo = Demo(bundle.manifest.audio, bundle.manifest.video)
    [decoded] = stages.decode(demo, sampling)
    image = next(item.image for item in demo.read() if hasattr(item, "image"))
    [framed] = stages.frame(make_framing("face", 64, 64), [image], sampling)
    assert (decoded.operation, framed.operation) == ("decode 1 s", "framing")
    assert framed.traffic_mb == pytest.approx(image.nbytes / 1e6)


def test_baselines_are_measured_beside_what_is_asked_for(bundle) -> None:
    class Slow(OrtBackend):
        name = "slow"

    engine_builder = made.engine_builder([])
    found = open_candidates([bundle], ["onnxruntime"], 1, engine_builder, lambda _: [Slow(bundle)])
    assert [each.info.backend for each in found] == ["onnxruntime-cpu", "onnxruntime-defaults", "slow"]
    assert [each.arguments is None for each in found] == [False, True, True]
    assert max(each.info.difference for each in found) < 1


def test_candidates_of_one_name_are_told_apart(candidate) -> None:
    names = [each.name for each in with_unique_names([candidate, candidate, candidate])]
    assert names == [candidate.name, f"{candidate.name} (2)", f"{candidate.name} (3)"]


def test_a_backend_that_cannot_be_had_is_named(bundle) -> None:
    with pytest.raises(EngineError):
        open_candidates([bundle], ["tensorrt"], 1, made.engine_builder([]), lambda _: ())


def test_a_candidate_says_what_it_is(candidate, bundle) -> None:
    assert replace(candidate.info, difference=0.0).bundle == f"foal-nano {bundle.manifest.version}"
    assert candidate.info.precision == dict.fromkeys(stages.BATCHES, "fp32")
