"""Comparison of methods on clips: embeddings, all runs, and the folds and seeds combined to tables."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edge.errors import UsageError

from ..ablation import Ablation, Curve, Prediction, collect, outcome
from ..config import Clips, Config, clips
from ..corpora import registry
from ..corpora.check import select_usable
from ..corpora.utterance import Utterance
from ..encoders import build
from ..intervals import accuracies
from ..log import console
from ..objective import MODALITIES
from ..optimise import refuse_large_batch
from ..origin import Origin
from ..plots import Embeddings
from ..processes import Processes
from ..report import PAPER, Comparison
from ..stage import identity
from ..tensors import fingerprint
from ..variants import BASELINE, FOAL_NET, Variant
from .crossval import Experiment, Run, rates, refuse_untrained_labels, result, runs, windows
from .embed import EmbeddingStore
from .examples import load
from .split import PROTOCOLS, Protocol, folds, shared_speakers, split

PROTOCOL_NOTES = {
    "published": "published: the left-out fold chooses the epoch that it is tested by; confidences as they come.",
    "strict": "strict: the fold before the left-out one trains nothing, chooses the epoch, and calibrates confidences, "
    "one temperature for audio, video and both.",
}


def prepare(
    config: Config,
    root: Path,
    run: Path,
    embeddings: Path,
    processes: Processes,
    skip_damaged: bool,
    finest_hz: float = 0.0,
    origin: Origin | None = None,
    protocols: Sequence[Protocol] = PROTOCOLS,
) -> tuple[Experiment, nn.Module]:
    """Check the corpus, embed its frames and load it into memory; return it with the image encoder.

    The encoders are those of the `origin`, if there is one. Embeddings are made at the configuration's frame rate, and
    at `finest_hz` if that is higher. UsageError, before anything is embedded, where the recipe's batch is larger than
    what any fold of the `protocols` leaves to train on.
    """
    utterances = find(config, root, processes, skip_damaged)
    trained = [split(utterances, fold, protocol).train for fold in folds(utterances) for protocol in protocols]
    refuse_large_batch(config.name, clips(config).stage, max(map(len, trained)))
    encoder, store = make_store(config, embeddings, config.video.rate_hz, origin)
    store.fill(utterances, processes)
    examples = finest = load(config, utterances, store, processes.is_main)
    if finest_hz > store.rate_hz:
        finer = EmbeddingStore(embeddings, config, encoder, finest_hz)
        finer.fill(utterances, processes)
        finest = replace(
            examples, embeddings=[finer.read(utterance) for utterance in utterances], frame_rate_hz=finest_hz
        )
    data = identity(
        store.folder.name,
        finest.frame_rate_hz,
        [(each.name, each.label, each.fold, each.speaker) for each in utterances],
        *([fingerprint(origin.model), origin.labels] if origin else []),
    )
    return Experiment(config, examples, finest, data, run, processes, origin), encoder


def find(config: Config, root: Path, processes: Processes, skip_damaged: bool) -> list[Utterance]:
    """Return the corpus's utterances of the configuration's labels; UsageError if files are missing or damaged."""
    corpus = registry.find(clips(config).corpus)
    every = corpus.utterances(root)
    refuse_labels_without_clips(config, every)
    utterances = [utterance for utterance in every if utterance.label in config.labels]
    kept = select_usable(utterances, registry.one_track_is_enough(corpus), skip_damaged, processes.is_main)
    refuse_labels_without_clips(config, kept, "usable clip")
    if processes.is_main:
        console.print(f"{len(kept):,} utterances of {clips(config).corpus} in {len(folds(kept))} folds")
        if others := len(every) - len(utterances):
            console.print(f"{others:,} more have labels that {config.name} does not list, and are left out")
    return kept


def refuse_labels_without_clips(config: Config, utterances: Sequence[Utterance], what: str = "clip") -> None:
    """Raise UsageError if the configuration lists a label that no utterance of the corpus has."""
    found = sorted({utterance.label for utterance in utterances})
    for label in config.labels:
        if label not in found:
            raise UsageError(
                f"{clips(config).corpus} has no {what} of the label {label!r} that {config.name} lists, only of "
                f"{', '.join(found) or 'none'}; correct the configuration's labels, or the corpus"
            )


def make_store(
    config: Config, embeddings: Path, rate_hz: float, origin: Origin | None = None
) -> tuple[nn.Module, EmbeddingStore]:
    """Build the image encoder with its weights, those of the `origin` if there is one, and its store of embeddings."""
    torch.manual_seed(config.seed)
    encoder = origin.model.image_encoder if origin else build.image_encoder(config, pretrained=True)
    assert encoder is not None, "a whole network"
    return encoder, EmbeddingStore(embeddings, config, encoder, rate_hz)


def compare(
    experiment: Experiment,
    variants: Sequence[Variant],
    protocols: Sequence[Protocol],
    seeds: Sequence[int],
    command: str,
) -> Ablation:
    """Do every run of the comparison, or read its earlier result, and combine them."""
    wanted = list(runs(experiment, variants, protocols, seeds))
    for run in wanted:
        refuse_untrained_labels(experiment, run)
    found: dict[Run, dict[str, Tensor]] = {}
    for number, run in enumerate(wanted, 1):
        if experiment.processes.is_main:
            console.print(f"run {number} of {len(wanted)}: {run.name}")
        found[run] = result(experiment, run)
    baseline = BASELINE if BASELINE in variants else variants[0]
    comparison = Comparison(
        collect(pooled(experiment, found)),
        baseline.name,
        experiment.config.labels,
        command,
        notes(experiment, protocols),
        {"published": PAPER} if clips(experiment.config).corpus == "iemocap" else {},
    )
    both_trained = BASELINE in variants and FOAL_NET in variants
    aligned = (
        (embeddings(experiment, found, BASELINE), embeddings(experiment, found, FOAL_NET)) if both_trained else None
    )
    return Ablation(comparison, aligned, curves(experiment, found))


def pooled(
    experiment: Experiment, found: dict[Run, dict[str, Tensor]]
) -> Iterator[tuple[Variant, dict[str, Prediction]]]:
    """Yield each row's predictions of all folds, seed by seed."""
    for (variant, protocol, _), group in groupby(found, key=lambda run: (run.variant, run.protocol, run.seed)):
        of = list(group)
        predictions = {}
        for modality in MODALITIES[::-1]:
            if f"probs {modality}" in found[of[0]]:
                name = protocol if modality == "both" else f"{protocol}, {modality} alone"
                predictions[name] = pool(experiment, of, [found[run][f"probs {modality}"] for run in of])
        yield variant, predictions


def pool(experiment: Experiment, of: Sequence[Run], probs: Sequence[Tensor]) -> Prediction:
    """Combine the left-out folds of several runs into one evaluation."""
    return Prediction(torch.cat(list(probs)).numpy(), np.concatenate([truth(experiment, run) for run in of]))


def left_out(experiment: Experiment, run: Run) -> list[int]:
    """Return the row numbers of a run's left-out fold."""
    return [row for row, utterance in enumerate(experiment.examples.utterances) if utterance.fold == run.left_out]


def truth(experiment: Experiment, run: Run) -> np.ndarray:
    """Return the labels of a run's left-out fold, int64 `[n]`."""
    return experiment.examples.labels[left_out(experiment, run)].numpy()


def embeddings(experiment: Experiment, found: dict[Run, dict[str, Tensor]], variant: Variant) -> Embeddings:
    """Return the first run's embeddings of its left-out fold, for clips that have audio and video."""
    run = next(run for run in found if run.variant == variant)
    audio, video = (found[run][f"{side} embedding"].numpy() for side in ("audio", "video"))
    return Embeddings(audio, video, truth(experiment, run)).with_both()


def curves(experiment: Experiment, found: dict[Run, dict[str, Tensor]]) -> list[Curve]:
    """Return UA of Foal-Net by the strict protocol, against the frame rate and the length of the window."""
    of = [run for run in found if run.variant == FOAL_NET and run.protocol == "strict"]
    seeds = list(dict.fromkeys(run.seed for run in of))
    made = []
    for name, xlabel, x in (
        ("rate", "frames a second", rates(experiment.finest)),
        ("window", "seconds that are heard and seen", windows(experiment.examples)),
    ):
        points = []
        for value in x if of else ():
            by_seed = [[run for run in of if run.seed == seed] for seed in seeds]
            parts = [
                pool(experiment, some, [found[run][f"probs {name} {value:g}"] for run in some]) for some in by_seed
            ]
            points.append(accuracies(outcome(parts)).ua)
        if len(points) > 1:
            made.append(Curve(name, xlabel, x, {"Foal-Net, strict": points}))
    return made


def used_of_frames(recipe: Clips) -> str:
    """Return what of each frame is used, for readers of the figures."""
    if recipe.people > 1:
        return f"in each whoever of up to {recipe.people} people has a mouth that goes with the voice"
    return "the speaker in half of each" if recipe.speaker_half else "all of each"


def notes(experiment: Experiment, protocols: Sequence[Protocol]) -> list[str]:
    """Return the notes that readers of the figures need."""
    config, utterances = experiment.config, experiment.examples.utterances
    found = [
        f"{len(utterances):,} utterances of {clips(config).corpus} in {len(folds(utterances))} folds, each left out "
        f"once; {config.audio.window_s:g} s, {config.video.rate_hz:g} frames a second, "
        f"{used_of_frames(clips(config))}, framing `{config.video.framing}`.",
        "UA and WA are over all folds' utterances together; the curves are of networks trained at one rate and length.",
        "Alone: the same network, the other modality left out when it is evaluated.",
        *(PROTOCOL_NOTES[protocol] for protocol in protocols),
    ]
    if shared := shared_speakers(utterances):
        found.append(f"Speakers in several folds: {len(shared)}. What is shown holds for people already known.")
    return found
