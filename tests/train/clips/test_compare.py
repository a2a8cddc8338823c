"""From a corpus to tables and pictures, through the commands."""

import re
import shutil
from dataclasses import replace as changed
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from PIL import Image

from edge.errors import UsageError
from edge.evaluation.metrics import evaluate
from tests.train.clips.conftest import Done, do, elsewhere, train
from train import config, report
from train.clips import compare, crossval
from train.clips.crossval import Experiment, Run
from train.clips.split import PROTOCOLS
from train.config import Config
from train.processes import SINGLE_PROCESS
from train.tensors import read_tensors
from train.variants import BASELINE, FOAL_NET, VARIANTS, Variant

ROWS = [variant.name for variant in VARIANTS]
FUSED = ROWS[2:]
SESSIONS = ["Session1", "Session2", "Session3"]
MODALITIES = {"": "both", ", video alone": "video", ", audio alone": "audio"}
EVALUATIONS = [f"{protocol}{alone}" for protocol in PROTOCOLS for alone in ("", ", video alone", ", audio alone")]
"""In the order in which rows have them: the first row is of one modality."""


@pytest.fixture(scope="module")
def folder(ablated: Done) -> Path:
    return ablated.run / "ablation"


@pytest.fixture(scope="module")
def findings(folder: Path) -> report.Findings:
    return report.read(folder / "table.json")


@pytest.fixture(scope="module")
def learned(eager: Config, release: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return do("crossval", eager, release, tmp_path_factory.mktemp("learned"), "--seeds", 1, "--protocol", "strict")


def pooled(folder: Path, variant: Variant, protocol: str, modality: str, seed: int = 1234) -> np.ndarray:
    """Probabilities of all folds, read from the runs' files."""
    found = [Run(variant, protocol, seed, session) for session in SESSIONS]  # type: ignore[arg-type]
    parts = [read_tensors(folder / f"{run.name}.result.safetensors")[0][f"probs {modality}"] for run in found]
    return torch.cat(parts).numpy()


def truth(experiment: Experiment) -> np.ndarray:
    """Labels, session by session."""
    utterances = experiment.examples.utterances
    labels = [(each.fold, experiment.config.labels.index(each.label)) for each in utterances]
    return np.array([label for session in SESSIONS for fold, label in labels if fold == session])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_table_has_every_row_of_the_paper(findings: report.Findings, protocol: str) -> None:
    assert list(findings.cells) == EVALUATIONS
    assert list(findings.cells[protocol]) == ROWS
    for alone in list(MODALITIES)[1:]:
        assert list(findings.cells[f"{protocol}{alone}"]) == FUSED


def test_a_figure_is_of_all_folds_together(
    folder: Path, findings: report.Findings, dwarf_experiment: Experiment
) -> None:
    for protocol in PROTOCOLS:
        for alone, modality in MODALITIES.items():
            for variant in VARIANTS[2:] if alone else VARIANTS:
                cell = findings.cells[f"{protocol}{alone}"][variant.name]
                expected = evaluate(pooled(folder, variant, protocol, modality), truth(dwarf_experiment))
                assert (cell.count, cell.runs) == (30, 1)
                figures = (cell.ua.mean, cell.wa.mean, cell.ece)
                assert figures == pytest.approx((expected.ua, expected.wa, expected.ece), abs=1e-6)
                assert cell.confusion == expected.confusion
                for interval in (cell.ua, cell.wa):
                    assert 0 <= interval.low <= interval.mean <= interval.high <= 1


def test_rows_are_held_against_the_baseline_and_the_paper(findings: report.Findings) -> None:
    for evaluation, cells in findings.cells.items():
        for method, cell in cells.items():
            assert (cell.against is None) == (method == "baseline")
            assert (cell.paper is None) == (evaluation != "published")
            if cell.against:
                baseline = cells["baseline"]
                assert cell.against.ua.mean == pytest.approx(cell.ua.mean - baseline.ua.mean)
                assert cell.against.wa.low <= cell.against.wa.mean <= cell.against.wa.high
    assert findings.cells["published"]["baseline + AVEL + MEM"].paper == report.Published(0.8010, 0.7945)


def test_the_tables_say_what_they_hold_and_the_command(ablated: Done, folder: Path) -> None:
    text = (folder / "table.md").read_text()
    assert re.findall(r"^## (.*)$", text, re.M) == EVALUATIONS
    assert (
        "30 utterances of iemocap in 3 folds, each left out once; 2 s, 10 frames a second, the speaker in half" in text
    )
    for protocol in PROTOCOLS:
        assert compare.PROTOCOL_NOTES[protocol] in text  # type: ignore[index]
    assert f"python -m train {' '.join(ablated.command)}" in text
    assert "Speakers in several folds" not in text
    row = re.search(r"^\| audio only \| 30 \| 1 \| [\d.]+ \([\d.]+ to [\d.]+\) \|.*\| 77.7 \| 77.2 \|$", text, re.M)
    assert row


def test_pictures_are_drawn(folder: Path) -> None:
    evaluations = ["published", "strict"]
    expected = {f"confusion/{each}-{slug}.png" for each in evaluations for slug in ("audio-only", "video-only")}
    fused = ("baseline", "baseline-avel", "baseline-mem", "baseline-avel-mem")
    parts = [f"{each}{part}" for each in evaluations for part in ("", "-audio-alone", "-video-alone")]
    expected |= {f"confusion/{part}-{slug}.png" for part in parts for slug in fused}
    expected |= {"embeddings.png", "rate.png"}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.png")} == expected
    for name in expected:
        with Image.open(folder / name) as image:
            assert image.width == 1000
            assert len(image.convert("L").getcolors() or []) > 10


def test_the_terminal_shows_the_tables_and_every_run(ablated: Done, folder: Path) -> None:
    said = ablated.output
    assert "30 utterances of iemocap in 3 folds" in said
    assert [f"run {number} of 36: " in said for number in (1, 36)] == [True, True]
    assert said.replace("\n", "").endswith(f"tables and pictures: {folder}")
    assert [line.strip() for line in said.splitlines() if line.strip() in EVALUATIONS] == EVALUATIONS


def test_nothing_is_cut_off_on_a_narrow_terminal(ablated: Done) -> None:
    assert "…" not in ablated.output


def test_run_again_nothing_is_done_twice_and_the_tables_are_the_same(
    ablated: Done, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    embedded = {path: path.stat().st_mtime_ns for path in ablated.embeddings.rglob("*.safetensors")}
    drawn = {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in {".md", ".json", ".png"}}
    monkeypatch.setattr(crossval, "train", lambda *_: pytest.fail("trained again"))
    train(*ablated.command)
    assert len(kept) == 36
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")} == kept
    assert {path: path.stat().st_mtime_ns for path in ablated.embeddings.rglob("*.safetensors")} == embedded
    assert {path: path.read_bytes() for path in drawn} == drawn


def test_seeds_are_runs_of_one_row(crossed: Done, dwarf_experiment: Experiment) -> None:
    assert "run 12 of 12: baseline-avel-mem-strict-1235-session3" in crossed.output
    found = report.read(crossed.run / "crossval" / "table.json")
    assert list(found.cells) == [f"{protocol}{alone}" for protocol in PROTOCOLS for alone in MODALITIES]
    cell = found.cells["strict"][FOAL_NET.name]
    seeds = [pooled(crossed.run / "crossval", FOAL_NET, "strict", "both", seed) for seed in (1234, 1235)]
    assert not np.array_equal(*seeds)
    assert cell.runs == 2
    assert cell.ua.mean == pytest.approx(np.mean([evaluate(probs, truth(dwarf_experiment)).ua for probs in seeds]))
    assert (cell.against, cell.paper) == (None, None)


def test_published_alone_draws_no_curves(crossed: Done, tmp_path: Path) -> None:
    images = shutil.ignore_patterns("tensorboard", "confusion", "*.png")
    shutil.copytree(crossed.run / "crossval", tmp_path / "crossval", ignore=images)
    train(*elsewhere(crossed, run=tmp_path), "--protocol", "published")
    names = {path.name for path in (tmp_path / "crossval").rglob("*.png")}
    assert names == {f"published{part}-baseline-avel-mem.png" for part in ("", "-audio-alone", "-video-alone")}


def test_what_shows_a_class_is_learned(learned: Done) -> None:
    found = report.read(learned.run / "crossval" / "table.json").cells
    both, audio = found["strict"][FOAL_NET.name], found["strict, audio alone"][FOAL_NET.name]
    assert both.count == 50
    assert both.ua.low > 0.6
    assert both.wa.low > 0.6
    assert audio.ua.low > 0.4


def test_curves_end_at_what_was_trained(learned: Done, eager_bench: Experiment, release: Path) -> None:
    experiment = changed(eager_bench, folder=learned.run / "crossval")
    found = {run: crossval.result(experiment, run) for run in crossval.runs(experiment, [FOAL_NET], ["strict"], [1234])}
    (rate,) = compare.curves(experiment, found)
    assert (rate.name, rate.x, list(rate.lines)) == ("rate", [1.0, 2.0, 5.0, 10.0], ["Foal-Net, strict"])
    cell = report.read(learned.run / "crossval" / "table.json").cells["strict"][FOAL_NET.name]
    assert rate.lines["Foal-Net, strict"][-1] == cell.ua


def test_embeddings_before_and_after_are_of_one_fold(dwarf_experiment: Experiment, folder: Path) -> None:
    found = {}
    for run in crossval.runs(dwarf_experiment, [BASELINE, FOAL_NET], PROTOCOLS, [1234]):
        found[run] = read_tensors(folder / f"{run.name}.result.safetensors")[0]
    before, after = (compare.embeddings(dwarf_experiment, found, variant) for variant in (BASELINE, FOAL_NET))
    assert before.truth.tolist() == after.truth.tolist() == truth(dwarf_experiment)[:10].tolist()
    assert before.audio.shape == after.video.shape == (10, 32)
    assert not np.array_equal(before.audio, after.audio)


def test_embeddings_are_of_clips_with_sound_and_picture(dwarf_experiment: Experiment, folder: Path) -> None:
    run = Run(FOAL_NET, "published", 1234, "Session1")
    found = {run: read_tensors(folder / f"{run.name}.result.safetensors")[0]}
    found[run]["audio embedding"][3] = found[run]["video embedding"][5] = 0  # as the fusion gives without a modality
    kept = [row for row in range(10) if row not in (3, 5)]
    made = compare.embeddings(dwarf_experiment, found, FOAL_NET)
    assert len(made.truth) == len(kept)
    assert made.truth.tolist() == truth(dwarf_experiment)[kept].tolist()
    np.testing.assert_array_equal(made.audio, found[run]["audio embedding"].numpy()[kept])


def test_a_corpus_whose_files_are_damaged_is_not_trained_on_unasked(
    dwarf: Config, short_release: Path, tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(short_release, tmp_path / "iemocap"))
    video = next((damaged / "Session2").rglob("*.avi"))
    video.unlink()
    with pytest.raises(UsageError, match=r"10 problems in the corpus(.|\n)*--skip-damaged"):
        compare.find(dwarf, damaged, SINGLE_PROCESS, False)
    with pytest.raises(UsageError, match="folds Session1, Session3; cross-validation needs at least three"):
        compare.find(dwarf, damaged, SINGLE_PROCESS, True)


def test_clips_of_other_labels_are_left_out(dwarf: Config, short_release: Path) -> None:
    found = compare.find(replace(dwarf, labels=["sad", "angry"]), short_release, SINGLE_PROCESS, False)
    assert {each.label for each in found} == {"sad", "angry"}
    assert len(found) == 12


def test_a_label_that_no_clip_has_is_refused_with_those_that_there_are(dwarf: Config, short_release: Path) -> None:
    expected = (
        "iemocap has no clip of the label 'Sad' that foal-dwarf lists, only of angry, happy, neutral, sad; correct"
    )
    with pytest.raises(UsageError, match=expected):
        compare.find(replace(dwarf, labels=["angry", "Sad"]), short_release, SINGLE_PROCESS, False)


def test_the_other_clips_and_embeddings_are_other_data(dwarf: Config, short_release: Path, ablated: Done) -> None:
    whole = replace(dwarf, recipe=replace(config.clips(dwarf), speaker_half=False))
    fewer = replace(dwarf, labels=["sad", "angry"])
    benches = [
        compare.prepare(chosen, short_release, ablated.run, ablated.embeddings, SINGLE_PROCESS, False)[0]
        for chosen in (dwarf, whole, fewer)
    ]
    assert len({experiment.data for experiment in benches}) == 3


@pytest.mark.parametrize(
    ("people", "half", "said"),
    [(1, True, "the speaker in half of each"), (1, False, "all of each"), (3, False, "whoever of up to 3 people")],
)
def test_what_of_the_frames_is_used_is_noted(dwarf: Config, people: int, half: bool, said: str) -> None:
    recipe = replace(config.clips(dwarf), speaker_half=half, people=people)
    assert said in compare.used_of_frames(recipe)


def test_speakers_of_several_folds_are_noted(dwarf_experiment: Experiment) -> None:
    utterances = [changed(each, speaker="iemocap-01F") for each in dwarf_experiment.examples.utterances]
    known = changed(dwarf_experiment, examples=changed(dwarf_experiment.examples, utterances=utterances))
    assert len(compare.notes(dwarf_experiment, ["strict"])) == 4
    assert compare.notes(known, ["strict"])[-1].startswith("Speakers in several folds: 1.")


@pytest.mark.parametrize(("rate_hz", "finest_hz"), [(5.0, 10.0), (4.0, 10.0)])
def test_what_is_trained_on_has_the_pictures_of_its_rate_whatever_the_finest(
    dwarf: Config, short_release: Path, tmp_path: Path, rate_hz: float, finest_hz: float
) -> None:
    chosen = replace(dwarf, video=replace(dwarf.video, rate_hz=rate_hz))
    fine, plain = (
        compare.prepare(chosen, short_release, tmp_path, tmp_path / "embeddings", SINGLE_PROCESS, False, hz)[0]
        for hz in (finest_hz, 0.0)
    )
    assert (fine.examples.frame_rate_hz, fine.finest.frame_rate_hz) == (rate_hz, finest_hz)
    assert plain.finest.frame_rate_hz == rate_hz
    for one, other in zip(fine.examples.embeddings, plain.examples.embeddings, strict=True):
        assert one.time_ns.tolist() == other.time_ns.tolist()


def test_a_label_whose_clips_are_all_damaged_is_refused(tmp_path: Path, dwarf: Config) -> None:
    lines = [f"{label}.mp4,{label},ann,1" for label in dwarf.labels]
    (tmp_path / "table.csv").write_text("\n".join(["path,label,speaker,fold", *lines]))
    chosen = replace(dwarf, recipe=replace(config.clips(dwarf), corpus="table"))
    with pytest.raises(UsageError, match=r"table has no usable clip of the label .* only of none; correct"):
        compare.find(chosen, tmp_path, SINGLE_PROCESS, True)


def test_a_batch_that_no_fold_fills_is_refused_before_anything_is_embedded(
    dwarf: Config, short_release: Path, tmp_path: Path
) -> None:
    recipe = config.clips(dwarf)
    chosen = replace(dwarf, recipe=replace(recipe, stage=replace(recipe.stage, batch=1000, draws=None)))
    with pytest.raises(UsageError, match=r"a batch of 1000 from \d+ examples to train on; lower `batch`"):
        compare.prepare(chosen, short_release, tmp_path, tmp_path / "embeddings", SINGLE_PROCESS, False)
    assert not (tmp_path / "embeddings").exists()
