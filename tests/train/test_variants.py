"""The rows of the paper's table, and what each lowers."""

from typing import Any

import pytest
import torch
from msgspec.structs import replace

from train.config import Config
from train.fusion import Tokens
from train.objective import Objective, SingleObjective
from train.processes import SINGLE_PROCESS, Processes
from train.variants import BASELINE, FOAL_NET, VARIANTS, Variant, make_objective, weights

LABELS = torch.tensor([0, 1, 2, 3])
LOSSES = {
    "audio only": {"loss"},
    "video only": {"loss"},
    "baseline": {"loss", "classification"},
    "baseline + AVEL": {"loss", "classification", "avel"},
    "baseline + MEM": {"loss", "classification", "avel", "mem"},
    "baseline + AVEL + MEM": {"loss", "classification", "avel", "mem"},
}
"""AVEL is computed for MEM, which draws by its similarities, and counts for nothing there."""


@pytest.fixture(scope="module")
def chosen(tiny: Config) -> Config:
    return replace(tiny, objective=replace(tiny.objective, avel=0.5, mem=0.25, temperature="divides"))


def make(chosen: Config, variant: Variant, processes: Any = SINGLE_PROCESS) -> Objective | SingleObjective:
    torch.manual_seed(0)
    return make_objective(chosen, variant, 0.1, processes)


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    generator = torch.Generator().manual_seed(1)
    sizes = (4, 5, 16), (4, 3, 24)
    audio, video = (torch.randn(size, generator=generator) for size in sizes)
    return Tokens(audio, torch.ones(4, 5).bool(), video, torch.ones(4, 3).bool())


def test_the_rows_are_the_papers_in_its_order() -> None:
    assert [variant.name for variant in VARIANTS] == list(LOSSES)
    assert (VARIANTS[2], VARIANTS[-1]) == (BASELINE, FOAL_NET)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_row_computes_what_its_name_says(variant: Variant, chosen: Config, tokens: Tokens) -> None:
    losses = make(chosen, variant).eval()(tokens, LABELS, torch.Generator().manual_seed(0))
    assert set(losses) == LOSSES[variant.name]
    if variant.modality == "both":
        share = {"classification": 1.0, "avel": 0.5 * variant.avel, "mem": 0.25 * variant.mem}
        expected = sum(share[name] * loss for name, loss in losses.items() if name != "loss")
        torch.testing.assert_close(losses["loss"], expected)


@pytest.mark.parametrize(("variant", "width"), [(VARIANTS[0], 16), (VARIANTS[1], 24)])
def test_a_single_modality_has_its_encoders_width(variant: Variant, width: int, chosen: Config) -> None:
    made = make(replace(chosen, labels=["a", "b", "c"]), variant)
    assert isinstance(made, SingleObjective)
    assert made.modality == variant.modality == variant.name.split()[0]
    assert [tuple(part.shape) for part in made.parameters()] == [(3, width), (3,)]
    assert made.label_smoothing == 0.1


def test_a_fusion_has_the_configurations_sizes_and_the_processes_that_are_given(chosen: Config) -> None:
    processes = Processes(3, 1, torch.device("cpu"))
    made = make(replace(chosen, labels=["a", "b", "c"]), BASELINE, processes)
    assert isinstance(made, Objective)
    assert made.fusion.cls_head.weight.shape == (3, 16 + 24)
    assert made.fusion.audio_project.linear1.weight.shape == (32, 16)
    assert made.processes is processes
    assert made.label_smoothing == 0.1


def test_every_row_of_two_modalities_begins_alike(chosen: Config) -> None:
    first, *others = (make(chosen, variant).state_dict() for variant in VARIANTS[2:])
    for other in others:
        torch.testing.assert_close(other, first, atol=0, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_all_other_settings_of_a_row_are_the_configurations(variant: Variant, chosen: Config) -> None:
    found = weights(chosen, variant)
    assert (found.avel, found.mem) == (0.5 * ("AVEL" in variant.name), 0.25 * ("MEM" in variant.name))
    assert replace(found, avel=0.5, mem=0.25) == chosen.objective
