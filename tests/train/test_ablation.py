"""What an ablation leaves in its folder."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from rich.console import Console

from train import ablation, report
from train.ablation import Ablation, Curve, Prediction, collect, outcome, slug, write
from train.intervals import Interval
from train.plots import Embeddings
from train.report import Comparison
from train.variants import BASELINE, FOAL_NET, Variant

LABELS = ["angry", "happy", "neutral", "sad"]
TRUTH = np.arange(40) % 4


def prediction(skill: float, seed: int = 0) -> Prediction:
    logits = np.random.default_rng(seed).normal(size=(len(TRUTH), 4)) + skill * np.eye(4)[TRUTH]
    return Prediction(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), TRUTH)


def embeddings(seed: int) -> Embeddings:
    audio, video = np.random.default_rng(seed).normal(size=(2, len(TRUTH), 6))
    return Embeddings(audio, video, TRUTH)


def made(aligned: bool = True, curves: tuple[Curve, ...] = ()) -> Ablation:
    found = collect(
        (variant, {"strict": prediction(skill + seed / 9, seed), "published, 0.5 s": prediction(skill, seed)})
        for variant, skill in ((BASELINE, 1.0), (FOAL_NET, 2.0))
        for seed in range(3)
    )
    comparison = Comparison(found, BASELINE.name, LABELS, "python -m train ablate")
    return Ablation(comparison, (embeddings(0), embeddings(1)) if aligned else None, curves)


def curve() -> Curve:
    lines = {"both": [Interval(0.5, 0.4, 0.6), Interval(0.6, 0.5, 0.7)]}
    return Curve("frame-rate", "frames a second", [1.0, 5.0], lines)


def test_runs_of_one_method_are_gathered_in_the_order_of_their_first_occurrence() -> None:
    audio = Variant("audio only", "audio")
    first, second, third, other = (prediction(1.0, seed) for seed in range(4))
    found = collect(
        [
            (FOAL_NET, {"strict": first, "audio": other}),
            (audio, {"strict": third}),
            (FOAL_NET, {"strict": second, "audio": other}),
        ]
    )
    assert list(found) == [FOAL_NET.name, "audio only"]
    assert list(found[FOAL_NET.name]) == ["strict", "audio"]
    assert list(found["audio only"]) == ["strict"]
    strict = found[FOAL_NET.name]["strict"]
    np.testing.assert_array_equal(strict.probs, np.stack([first.probs, second.probs]))
    np.testing.assert_array_equal(strict.truth, TRUTH)
    assert found["audio only"]["strict"].probs.shape == (1, 40, 4)


def test_an_outcome_keeps_runs_in_their_order() -> None:
    runs = [prediction(1.0, seed) for seed in range(3)]
    found = outcome(runs)
    for number, run in enumerate(runs):
        np.testing.assert_array_equal(found.probs[number], run.probs)


def test_everything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ablation, "console", Console(width=240))
    folder = tmp_path / "ablation"
    whole = made(curves=(curve(),))
    write(whole, folder)
    images = {
        "confusion/strict-baseline.png",
        "confusion/strict-baseline-avel-mem.png",
        "confusion/published-0-5-s-baseline.png",
        "confusion/published-0-5-s-baseline-avel-mem.png",
        "embeddings.png",
        "frame-rate.png",
    }
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == images | {"table.md", "table.json"}
    assert all(image.imread(folder / name).shape[1] == 1000 for name in images)
    assert report.read(folder / "table.json") == report.find(whole.comparison)
    assert (folder / "table.md").read_text(encoding="utf-8") == report.markdown(report.find(whole.comparison))
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == f"tables and pictures: {folder}"
    assert FOAL_NET.name in out
    assert "strict" in out


def test_a_confusion_matrix_is_that_of_its_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = {}
    monkeypatch.setattr(
        ablation.plots, "confusion", lambda path, labels, matrix, title: drawn.update({title: (labels, matrix)})
    )
    whole = made(aligned=False)
    write(whole, tmp_path)
    assert set(drawn) == {
        f"{method.name}: {evaluation}, runs: 3"
        for method in (BASELINE, FOAL_NET)
        for evaluation in ("strict", "published, 0.5 s")
    }
    labels, matrix = drawn[f"{FOAL_NET.name}: strict, runs: 3"]
    expected = np.zeros((4, 4), dtype=int)
    for probs in whole.comparison.outcomes[FOAL_NET.name]["strict"].probs:
        np.add.at(expected, (TRUTH, probs.argmax(axis=1)), 1)
    assert labels == LABELS
    np.testing.assert_array_equal(matrix, expected)


def test_without_embeddings_and_curves_there_are_no_such_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(made(aligned=False), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["confusion", "table.json", "table.md"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("baseline + AVEL + MEM", "baseline-avel-mem"),
        ("baseline + AVEL strict 1234 Session5", "baseline-avel-strict-1234-session5"),
        ("rate 0.5", "rate-0-5"),
        ("  both ", "both"),
        ("../up", "up"),
    ],
)
def test_a_slug_is_good_in_a_files_name(name: str, expected: str) -> None:
    assert slug(name) == expected
