"""The runtime in its own process: its measurements and its end; the whole command on a real recording."""

import json
import sys
from pathlib import Path
from typing import get_args

import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import prove
from edge.bench import recording
from edge.bench.candidates import make_candidate
from edge.bench.cold_start import await_prediction, copy_without_engines
from edge.bench.energy import Energy
from edge.bench.live import measure_live
from edge.bench.program import Program
from edge.bench.report import Scenario, read_report
from edge.bench.sampling import Sampling
from edge.bundle.load import SHIPPED, load
from edge.errors import FoalError, SourceError
from edge.sources.media import MediaFile


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "demo.mp4"
    recording.write(path, 9)
    return path


def test_the_demos_recording_has_audio_and_a_face_in_every_frame(film: Path) -> None:
    manifest = load(SHIPPED).manifest
    media = list(MediaFile(film, manifest.audio, manifest.video).read())
    images = [item for item in media if hasattr(item, "image")]
    assert len(images) == pytest.approx(45, abs=1)
    assert images[0].image.shape == (480, 640, 3)
    assert sum(len(item.samples) for item in media if hasattr(item, "samples")) == pytest.approx(144_000, rel=0.02)


@pytest.fixture(scope="module")
def candidate():
    bundle = load(SHIPPED)
    arguments = "--bundle", str(SHIPPED), "--backend", "onnxruntime", "--threads", "1"
    backend = OrtBackend(bundle, 1)
    return make_candidate(bundle, backend, prove(bundle, backend), arguments)


def test_windows_of_whole_length_are_counted(film: Path, candidate) -> None:
    found = measure_live(candidate, film, 2, 0.5, Sampling(1.5, Energy(()), lambda: None))
    assert (found.scenario, found.size, found.counts["windows"]) == ("live", 2, len(found.samples_ms))
    assert found.stop_reason == f"{len(found.samples_ms)} of the 368 samples that p99 needs"
    assert len(found.warm_up_ms) >= 20
    assert all(total >= 0 for total in found.samples_ms)
    assert found.stages_ms["total"] == found.samples_ms
    assert found.cpu_s > 0
    assert found.peak_mb > 50
    assert found.counts["missed"] == 0


def test_a_recording_without_a_whole_window_is_named(candidate, tmp_path: Path) -> None:
    short = tmp_path / "short.mp4"
    recording.write(short, 2)
    with pytest.raises(SourceError, match=r"short\.mp4 gives no window of 6 s"):
        measure_live(candidate, short, 1, 0.5, Sampling(1, Energy(()), lambda: None))


def await_end(program: Program) -> None:
    while not program.has_ended():
        assert program.messages.receive(0.1) is None


def test_what_a_program_says_when_it_fails_is_quoted() -> None:
    with Program(["--file", "gone.mp4"]) as program, pytest.raises(FoalError, match=r"3.*no such file: gone\.mp4"):
        await_end(program)


def test_a_program_is_measured_to_its_first_prediction() -> None:
    with Program(["--demo"]) as program:
        await_prediction(program)
        assert program.cpu_s() > 0
        assert program.peak_mb() > 50
    assert program.has_ended()
    with Program(["--demo", "--camera", "off", "--mic", "off"]) as refused, pytest.raises(FoalError):
        await_prediction(refused)


def test_a_bundle_is_copied_without_its_engines(tmp_path: Path) -> None:
    for name in ("manifest.json", "engines/sm89/x.engine"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with copy_without_engines(tmp_path) as copy:
        assert [path.name for path in copy.iterdir()] == ["manifest.json"]
    assert not copy.exists()


def test_the_command_measures_prints_keeps_and_compares(edge_command, film: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib draws the plots of this test")
    measured = edge_command(
        "bench", "--quick", "--seconds", "0.1", "--streams", "1", "--file", str(film), "--threads", "1",
        "--json", str(tmp_path / "a.json"), "--plot", str(tmp_path / "plots"),
    )  # fmt: skip
    assert measured.status == 0, measured.err
    found = read_report(tmp_path / "a.json")
    assert {each.scenario for each in found.series} == set(get_args(Scenario)) - {"cold start", "after idle"}
    assert found.naive[0].difference <= 1e-4
    assert json.loads((tmp_path / "a.json").read_bytes())["machine"]["versions"]["onnxruntime"]
    assert "capture to publish" in measured.out
    assert {path.suffix for path in (tmp_path / "plots").iterdir()} == {".png"}
    compared = edge_command("bench", "compare", str(tmp_path / "a.json"), str(tmp_path / "a.json"))
    assert compared.status == 0, compared.err
    assert "no difference shown" in compared.out


def test_what_draws_is_missed_before_anything_is_measured(
    edge_command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused = edge_command("bench", "--plot", tmp_path / "plots")
    assert (refused.status, refused.out) == (2, "")
    assert "pip install 'foal-edge[report]'" in refused.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--streams", "0"], "'0' is no list of numbers of streams"),
        (["--streams", "1,x"], "1 to 64"),
        (["--json", "nowhere/a.json"], "no such folder: nowhere"),
        (["--file", "gone.mp4", "--quick"], "no such file: gone.mp4"),
        (["compare", "gone.json", "gone.json"], "gone.json cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(edge_command, arguments: list[str], says: str) -> None:
    refused = edge_command("bench", *arguments)
    assert refused.status != 0
    assert says in refused.err
