"""Each run of a cross-validation: done once, the same after a kill, chosen by whom the protocol says."""

import os
from dataclasses import replace as changed
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from edge.errors import UsageError
from tests.train.clips.conftest import Done, elsewhere, files, train, train_and_kill
from train import tensors
from train.clips import crossval
from train.clips.crossval import (
    Experiment,
    Run,
    make_learner,
    rates,
    refuse_untrained_labels,
    result,
    runs,
    views,
    windows,
)
from train.clips.split import PROTOCOLS, Protocol, split
from train.tensors import read_tensors
from train.variants import BASELINE, FOAL_NET, VARIANTS, Variant

AUDIO_ONLY = VARIANTS[0]
STRICT = Run(FOAL_NET, "strict", 1234, "Session1")
PUBLISHED = Run(FOAL_NET, "published", 1234, "Session1")


def result_of(folder: Path, run: Run) -> Path:
    return folder / f"{run.name}.result.safetensors"


def rows(experiment: Experiment, run: Run) -> Tensor:
    """Of the left-out fold."""
    return torch.tensor([row for row, each in enumerate(experiment.examples.utterances) if each.fold == run.left_out])


def spoilt(experiment: Experiment, spoilt_rows: Tensor, folder: Path) -> Experiment:
    """Some clips say, show and are labelled as something else."""
    examples = experiment.examples
    labels, waveforms, seen = examples.labels.clone(), list(examples.waveforms), list(examples.embeddings)
    labels[spoilt_rows] = (labels[spoilt_rows] + 1) % 4
    for row in spoilt_rows.tolist():
        waveforms[row] = waveforms[row][::-1] * np.linspace(0, 1, len(waveforms[row]), dtype=np.float32)
        seen[row] = seen[row]._replace(embedding=-seen[row].embedding)
    return changed(
        experiment, examples=changed(examples, labels=labels, waveforms=waveforms, embeddings=seen), folder=folder
    )


def weights(experiment: Experiment, run: Run) -> dict[str, Tensor]:
    """Of the chosen epoch."""
    return crossval.train(experiment, run).state_dict()


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[key], other[key]) for key in one | other)


@pytest.fixture(scope="module")
def strict_weights(eager_bench: Experiment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    return weights(changed(eager_bench, folder=tmp_path_factory.mktemp("strict")), STRICT)


def test_a_comparison_is_every_row_protocol_seed_and_fold(experiment: Experiment) -> None:
    found = list(runs(experiment, VARIANTS, PROTOCOLS, [5, 6]))
    assert len(found) == len(set(found)) == 6 * 2 * 2 * 3
    assert len({run.name for run in found}) == len(found)
    assert found[0] == Run(AUDIO_ONLY, "published", 5, "Session1")
    assert found[0].name == "audio-only-published-5-session1"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_chosen_epoch_is_the_best_one_on_the_choosing_fold(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    optimise, checked = crossval.optimise, []

    def watched(stage, model, weights, loss, check, processes) -> None:
        optimise(stage, model, weights, loss, lambda: checked.append(check()) or checked[-1], processes)
        assert check()["ua"] == max(figures["ua"] for figures in checked)

    monkeypatch.setattr(crossval, "optimise", watched)
    run = Run(AUDIO_ONLY, protocol, 1234, "Session2")
    learner = crossval.train(experiment, run)
    assert len(checked) == 2
    assert not learner.training


def test_strictly_neither_weights_nor_epoch_nor_temperature_know_the_tested_fold(
    eager_bench: Experiment, strict_weights: dict[str, Tensor], tmp_path: Path
) -> None:
    other = spoilt(eager_bench, rows(eager_bench, STRICT), tmp_path / "spoilt")
    assert same(weights(other, STRICT), strict_weights)
    temperatures = [
        crossval.assess(experiment, STRICT, crossval.train(experiment, STRICT))["temperature"]
        for experiment in (changed(eager_bench, folder=tmp_path / "spoilt"), other)
    ]
    assert temperatures[0] == temperatures[1] != 1


def test_strictly_the_choosing_fold_chooses_and_trains_nothing(
    eager_bench: Experiment, strict_weights: dict[str, Tensor], tmp_path: Path
) -> None:
    validation = split(eager_bench.examples.utterances, "Session1", "strict").validation
    epochs = every_epoch(eager_bench, STRICT, tmp_path / "epochs")
    other = weights(spoilt(eager_bench, validation, tmp_path / "spoilt"), STRICT)
    assert sum(same(epoch, strict_weights) for epoch in epochs) == 1
    assert sum(same(epoch, other) for epoch in epochs) == 1
    assert not same(other, strict_weights)


def every_epoch(experiment: Experiment, run: Run, folder: Path) -> list[dict[str, Tensor]]:
    """The weights after each epoch, whichever is chosen."""
    found: list[dict[str, Tensor]] = []
    optimise = crossval.optimise

    def kept(stage, model, weights, loss, check, processes) -> None:
        def keep() -> dict[str, float]:
            found.append({key: value.clone() for key, value in model.state_dict().items()})
            return check()

        optimise(stage, model, weights, loss, keep, processes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossval, "optimise", kept)
        crossval.train(changed(experiment, folder=folder), run)
    return found


def test_as_published_the_tested_fold_chooses_and_trains_nothing(eager_bench: Experiment, tmp_path: Path) -> None:
    tested = rows(eager_bench, PUBLISHED)
    epochs = every_epoch(eager_bench, PUBLISHED, tmp_path / "epochs")
    chosen = weights(changed(eager_bench, folder=tmp_path / "epochs"), PUBLISHED)
    other = weights(spoilt(eager_bench, tested, tmp_path / "spoilt"), PUBLISHED)
    assert sum(same(epoch, chosen) for epoch in epochs) == 1
    assert sum(same(epoch, other) for epoch in epochs) == 1
    assert not same(chosen, other)


def test_learners_of_one_seed_begin_alike_whatever_the_fold(experiment: Experiment) -> None:
    first, fold, seed = (
        make_learner(experiment, run).state_dict()
        for run in (STRICT, changed(STRICT, left_out="Session3", protocol="published"), changed(STRICT, seed=5))
    )
    assert same(first, fold)
    assert not same(first, seed)


@pytest.mark.parametrize(
    ("variant", "parts"),
    [
        (AUDIO_ONLY, {"probs both"}),
        (BASELINE, {"probs both", "probs audio", "probs video", "audio embedding", "video embedding"}),
    ],
    ids=lambda value: value.name if isinstance(value, Variant) else "",
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_result_holds_what_the_tables_need(
    dwarf_experiment: Experiment, ablated: Done, variant: Variant, protocol: Protocol, parts: set[str]
) -> None:
    found, _ = read_tensors(result_of(ablated.run / "ablation", Run(variant, protocol, 1234, "Session2")))
    assert set(found) == parts | {"temperature"}
    assert (found["temperature"] == 1) == (protocol == "published")
    for name, tensor in found.items():
        if name.startswith("probs"):
            assert tensor.shape == (10, 4)
            torch.testing.assert_close(tensor.sum(dim=1), torch.ones(10))
        elif name.endswith("embedding"):
            torch.testing.assert_close(tensor.norm(dim=1), torch.ones(10))


def test_what_curves_need_is_found_of_foal_net_strictly(dwarf_experiment: Experiment, ablated: Done) -> None:
    kept = {protocol: changed(STRICT, protocol=protocol) for protocol in PROTOCOLS}
    found = {key: read_tensors(result_of(ablated.run / "ablation", run))[0] for key, run in kept.items()}
    of_curves = {f"probs rate {rate:g}" for rate in (1, 2, 5, 10, 30)} | {"probs window 2"}
    assert set(found["strict"]) - set(found["published"]) == of_curves
    # All pictures and the whole window are what was evaluated anyway, but for the temperature.
    scaled = found["strict"]["probs rate 10"].log() / found["strict"]["temperature"]
    torch.testing.assert_close(scaled.softmax(dim=1), found["strict"]["probs both"], atol=1e-5, rtol=1e-4)
    assert torch.equal(found["strict"]["probs window 2"], found["strict"]["probs rate 10"])
    assert not torch.equal(found["strict"]["probs rate 1"], found["strict"]["probs rate 10"])


def test_rates_and_windows_are_those_that_there_are_pictures_and_sound_for(experiment: Experiment) -> None:
    assert (rates(experiment.examples), windows(experiment.examples)) == ([1.0, 2.0, 5.0, 10.0], [2.0])
    longer = changed(experiment.examples, frame_rate_hz=30.0, samples=96_000)
    assert (rates(longer), windows(longer)) == ([1.0, 2.0, 5.0, 10.0, 30.0], [2.0, 4.0, 6.0])


def test_curves_are_of_fewer_and_of_more_pictures_than_were_trained_on(experiment: Experiment) -> None:
    found = dict(views(experiment))
    assert list(found) == ["rate 1", "rate 2", "rate 5", "rate 10", "rate 30", "window 2"]
    assert {name: len(examples.embeddings[0].time_ns) for name, examples in found.items()} == {
        "rate 1": 1,
        "rate 2": 2,
        "rate 5": 3,
        "rate 10": 6,
        "rate 30": 9,
        "window 2": 6,
    }


def test_a_run_is_done_once(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(BASELINE, "strict", 1234, "Session1")
    first = result(experiment, run)
    monkeypatch.setattr(crossval, "train", lambda *_: pytest.fail("trained again"))
    assert same(result(experiment, run), first)


def test_only_the_result_is_kept(experiment: Experiment) -> None:
    run = Run(BASELINE, "strict", 1234, "Session1")
    result(experiment, run)
    assert {path.name for path in experiment.folder.iterdir()} == {f"{run.name}.result.safetensors", "tensorboard"}


@pytest.mark.parametrize("change", ["configuration", "data"])
def test_a_result_of_other_data_or_another_configuration_is_refused(experiment: Experiment, change: str) -> None:
    run = Run(AUDIO_ONLY, "published", 1234, "Session1")
    first = result(experiment, run)
    config = replace(experiment.config, objective=replace(experiment.config.objective, avel=0.5))
    other = changed(experiment, config=config) if change == "configuration" else changed(experiment, data="other clips")
    with pytest.raises(UsageError, match=r"result\.safetensors was made with another configuration; choose another"):
        result(other, run)
    assert same(result(experiment, run), first)


@pytest.fixture(scope="module")
def whole(dwarf_experiment: Experiment, ablated: Done) -> bytes:
    """A result of a run that was not interrupted."""
    return result_of(ablated.run / "ablation", STRICT).read_bytes()


def interrupted(experiment: Experiment, spared: int) -> bool:
    """Whether the run was interrupted when so many files had been put in their places."""
    really_replace, done = os.replace, count()

    def replace_or_stop(*paths: Path) -> None:
        if next(done) == spared:
            raise KeyboardInterrupt
        really_replace(*paths)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensors.os, "replace", replace_or_stop)
        try:
            result(experiment, STRICT)
        except KeyboardInterrupt:
            return True
    return False


def test_interrupted_before_any_of_its_files_it_ends_as_if_it_had_not_been(
    experiment: Experiment, whole: bytes
) -> None:
    for spared in count():
        again = changed(experiment, folder=experiment.folder / str(spared))
        if not interrupted(again, spared):
            break
        assert not result_of(again.folder, STRICT).exists()
        result(again, STRICT)
        assert files(again.folder) == {f"{STRICT.name}.result.safetensors": whole}
        assert not list(again.folder.glob("*.partial"))
    # Two epochs, two states each; the best weights once or twice; the result.
    assert spared in (6, 7)


def test_interrupted_before_its_weights_are_deleted_it_deletes_them_when_run_again(
    experiment: Experiment, whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", stop)
        with pytest.raises(KeyboardInterrupt):
            result(experiment, STRICT)
    result(experiment, STRICT)
    assert result_of(experiment.folder, STRICT).read_bytes() == whole
    assert {path.name for path in experiment.folder.glob("*.*")} == {result_of(experiment.folder, STRICT).name}


def test_a_killed_command_run_again_leaves_what_an_uninterrupted_one_does(
    crossed: Done, architectures: Path, tmp_path: Path
) -> None:
    second = changed(STRICT, left_out="Session2")
    command = [*elsewhere(crossed, run=tmp_path), "--seeds", "1", "--protocol", "strict"]
    # The first run's six or seven files and some of the second's.
    train_and_kill(architectures, 10, command)
    folder = tmp_path / "crossval"
    assert {path.name for path in folder.glob("*.result.safetensors")} == {result_of(folder, STRICT).name}
    assert (folder / f"{second.name}.safetensors").is_file()
    before = result_of(folder, STRICT).stat().st_mtime_ns
    output = train(*command)
    assert f"{second.name}: " in output
    assert result_of(folder, STRICT).stat().st_mtime_ns == before
    uninterrupted = files(crossed.run / "crossval", "baseline-avel-mem-strict-1234-*.safetensors")
    assert len(uninterrupted) == 3
    assert files(folder) == uninterrupted


def test_a_label_without_clips_to_train_on_is_refused_before_anything_is_trained(dwarf_experiment: Experiment) -> None:
    run = Run(FOAL_NET, "strict", 1234, "Session3")
    refuse_untrained_labels(dwarf_experiment, run)
    examples = dwarf_experiment.examples
    trained = split(examples.utterances, run.left_out, run.protocol).train
    labels = examples.labels.clone()
    labels[trained] = labels[trained].clamp(max=2)
    lacking = dwarf_experiment.config.labels[3]
    with pytest.raises(
        UsageError, match=f"with the fold Session3 left out, .* no clip of the label '{lacking}'; spread"
    ):
        refuse_untrained_labels(changed(dwarf_experiment, examples=changed(examples, labels=labels)), run)
