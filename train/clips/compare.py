"""From a corpus to tables: embeddings made, every run done, folds and seeds put together."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..ablation import Ablation, Curve, Prediction, collect, outcome
from ..config import Config, clips
from ..corpora import registry
from ..corpora.check import whole
from ..corpora.utterance import Utterance
from ..encoders import build
from ..intervals import accuracies
from ..log import console
from ..objective import MODALITIES
from ..plots import Embeddings
from ..processes import Processes
from ..report import PAPER, Comparison
from ..stage import identity
from ..variants import BASELINE, FOAL_NET, Variant
from .crossval import Bench, Run, rates, result, runs, windows
from .embed import Store
from .examples import load
from .split import Protocol, folds, shared_speakers

MEANING = {
    "published": "published: the left-out fold chooses the epoch that it is tested by; confidences as they come.",
    "strict": "strict: the fold before the left-out one trains nothing, chooses the epoch, and calibrates confidences, "
    "one temperature for sound, picture and both.",
}


def prepare(
    config: Config,
    root: Path,
    run: Path,
    embeddings: Path,
    processes: Processes,
    skip_damaged: bool,
    finest_hz: float = 0.0,
) -> tuple[Bench, nn.Module]:
    """The corpus examined, embedded and in memory; and the image encoder.

    Embeddings are made at the configuration's rate of pictures, and at `finest_hz` where that is higher.
    """
    utterances = find(config, root, processes, skip_damaged)
    encoder, store = make_store(config, embeddings, config.video.rate_hz)
    store.fill(utterances, processes)
    examples = finest = load(config, utterances, store, processes.is_main)
    if finest_hz > store.rate_hz:
        finer = Store(embeddings, config, encoder, finest_hz)
        finer.fill(utterances, processes)
        finest = replace(examples, seen=[finer.read(utterance) for utterance in utterances], picture_hz=finest_hz)
    data = identity(
        store.folder.name, finest.picture_hz, [(each.name, each.label, each.fold, each.speaker) for each in utterances]
    )
    return Bench(config, examples, finest, data, run, processes), encoder


def find(config: Config, root: Path, processes: Processes, skip_damaged: bool) -> list[Utterance]:
    """The corpus's utterances of the configuration's labels; UsageError where files are missing or damaged."""
    corpus = registry.find(clips(config).corpus)
    utterances = [utterance for utterance in corpus.utterances(root) if utterance.label in config.labels]
    kept = whole(utterances, registry.one_track_is_enough(corpus), skip_damaged, processes.is_main)
    if processes.is_main:
        console.print(f"{len(kept):,} utterances of {clips(config).corpus} in {len(folds(kept))} folds")
    return kept


def make_store(config: Config, embeddings: Path, rate_hz: float) -> tuple[nn.Module, Store]:
    """The image encoder with its weights, and where its embeddings are."""
    torch.manual_seed(config.seed)
    encoder = build.image_encoder(config, pretrained=True)
    return encoder, Store(embeddings, config, encoder, rate_hz)


def compare(
    bench: Bench, variants: Sequence[Variant], protocols: Sequence[Protocol], seeds: Sequence[int], command: str
) -> Ablation:
    """Every run of the comparison, or what earlier ones found, put together."""
    wanted = list(runs(bench, variants, protocols, seeds))
    found: dict[Run, dict[str, Tensor]] = {}
    for number, run in enumerate(wanted, 1):
        if bench.processes.is_main:
            console.print(f"run {number} of {len(wanted)}: {run.name}")
        found[run] = result(bench, run)
    baseline = BASELINE if BASELINE in variants else variants[0]
    comparison = Comparison(
        collect(pooled(bench, found)),
        baseline.name,
        bench.config.labels,
        command,
        notes(bench, protocols),
        {"published": PAPER} if clips(bench.config).corpus == "iemocap" else {},
    )
    both_trained = BASELINE in variants and FOAL_NET in variants
    aligned = (embeddings(bench, found, BASELINE), embeddings(bench, found, FOAL_NET)) if both_trained else None
    return Ablation(comparison, aligned, curves(bench, found))


def pooled(bench: Bench, found: dict[Run, dict[str, Tensor]]) -> Iterator[tuple[Variant, dict[str, Prediction]]]:
    """Each row's predictions of all folds, seed by seed."""
    for (variant, protocol, _), group in groupby(found, key=lambda run: (run.variant, run.protocol, run.seed)):
        of = list(group)
        predictions = {}
        for modality in MODALITIES[::-1]:
            if f"probs {modality}" in found[of[0]]:
                name = protocol if modality == "both" else f"{protocol}, {modality} alone"
                predictions[name] = pool(bench, of, [found[run][f"probs {modality}"] for run in of])
        yield variant, predictions


def pool(bench: Bench, of: Sequence[Run], probs: Sequence[Tensor]) -> Prediction:
    """The left-out folds of some runs as one evaluation."""
    return Prediction(torch.cat(list(probs)).numpy(), np.concatenate([truth(bench, run) for run in of]))


def left_out(bench: Bench, run: Run) -> list[int]:
    """The rows of a run's left-out fold."""
    return [row for row, utterance in enumerate(bench.examples.utterances) if utterance.fold == run.left_out]


def truth(bench: Bench, run: Run) -> np.ndarray:
    """int64 `[n]`, labels of a run's left-out fold."""
    return bench.examples.labels[left_out(bench, run)].numpy()


def embeddings(bench: Bench, found: dict[Run, dict[str, Tensor]], variant: Variant) -> Embeddings:
    """What the first run of a row makes of its left-out fold, of clips that have sound and picture."""
    run = next(run for run in found if run.variant == variant)
    rows = left_out(bench, run)
    whole = [len(bench.examples.waveforms[row]) > 0 < len(bench.examples.seen[row].embedding) for row in rows]
    audio, video = (found[run][f"{side} embedding"].numpy()[whole] for side in ("audio", "video"))
    return Embeddings(audio, video, truth(bench, run)[whole])


def curves(bench: Bench, found: dict[Run, dict[str, Tensor]]) -> list[Curve]:
    """UA of Foal-Net, strictly evaluated, against the rate of pictures and the length of the window."""
    of = [run for run in found if run.variant == FOAL_NET and run.protocol == "strict"]
    seeds = list(dict.fromkeys(run.seed for run in of))
    made = []
    for name, xlabel, x in (
        ("rate", "pictures a second", rates(bench.finest)),
        ("window", "seconds that are heard and seen", windows(bench.examples)),
    ):
        points = []
        for value in x if of else ():
            by_seed = [[run for run in of if run.seed == seed] for seed in seeds]
            parts = [pool(bench, some, [found[run][f"probs {name} {value:g}"] for run in some]) for some in by_seed]
            points.append(accuracies(outcome(parts)).ua)
        if len(points) > 1:
            made.append(Curve(name, xlabel, x, {"Foal-Net, strict": points}))
    return made


def notes(bench: Bench, protocols: Sequence[Protocol]) -> list[str]:
    """What a reader must know of the figures."""
    config, utterances = bench.config, bench.examples.utterances
    found = [
        f"{len(utterances):,} utterances of {clips(config).corpus} in {len(folds(utterances))} folds, each left out "
        f"once; {config.audio.window_s:g} s, {config.video.rate_hz:g} pictures a second, "
        f"{'the speaker in half of each' if clips(config).speaker_half else 'all of each'}, "
        f"framing `{config.video.framing}`.",
        "UA and WA are over all folds' utterances together; the curves are of networks trained at one rate and length.",
        "Alone: the same network, the other modality left out when it is evaluated.",
        *(MEANING[protocol] for protocol in protocols),
    ]
    if shared := shared_speakers(utterances):
        found.append(f"Speakers in several folds: {len(shared)}. What is shown holds for people already known.")
    return found
