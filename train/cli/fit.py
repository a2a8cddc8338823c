"""Commands that train a checkpoint, and that make the image embeddings of clips beforehand."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click

from edge.errors import UsageError

from .. import config
from ..clips import compare
from ..clips.embed import EmbeddingStore
from ..clips.fit import fit as fit_clips
from ..config import Clips
from ..corpora.utterance import Utterance
from ..folders import make_writable
from ..packages import explain_missing
from ..processes import Processes, join
from ..voices_and_faces.fit import EncoderStage
from ..voices_and_faces.fit import fit as fit_voices_and_faces
from .options import clip_options, refuse_options_of_other_recipes, training_options
from .start import go_on_from, load_config, refuse_several_processes


@click.command("fit")
@training_options
@clip_options
@click.option("--only", type=click.Choice(get_args(EncoderStage)), help="For voices and faces: train one encoder only.")
@click.option("--fold", help="For clips: the fold that is left out for the test.  [default: the last]")
def fit_command(
    path: Path,
    data: Path,
    run: Path | None,
    threads: int,
    embeddings: Path,
    place: str | None,
    skip_damaged: bool,
    only: EncoderStage | None,
    fold: str | None,
) -> None:
    """Train the model of a configuration. After an interruption the same command resumes the training.

    \b
    Example:
      python -m train fit --config configs/nano.yaml --data corpora
      python -m train fit --config configs/nano-seven.yaml --data corpora --from foal-nano
      python -m train fit --config configs/own-clips.yaml --data my-clips --from foal-nano
    """
    chosen, folder = load_config(path, run, threads)
    refuse_options_of_other_recipes(chosen)
    processes = join()
    if isinstance(chosen.recipe, Clips):
        origin = go_on_from(chosen, place, processes)
        make_writable(folder, "--run")
        experiment, image_encoder = compare.prepare(
            chosen, data, folder, embeddings, processes, skip_damaged, origin=origin, protocols=["strict"]
        )
        checkpoint: Path | None = fit_clips(experiment, image_encoder, fold)
    else:
        refuse_several_processes(processes, chosen)
        if place is not None and only:
            raise UsageError(f"--from {place}: both encoders come from there, so that there is none to train by --only")
        origin = go_on_from(chosen, place, processes)
        make_writable(folder, "--run")
        checkpoint = fit_voices_and_faces(chosen, data, folder, only, skip_damaged, origin)
    if checkpoint is not None and processes.is_main:
        click.echo(f"checkpoint: {checkpoint}")


@click.command("embed")
@training_options
@clip_options
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Frames a second.  [default: that of the configuration]"
)
@click.option(
    "--workers",
    metavar="ADDRESS",
    help="Scheduler of a Dask cluster whose workers embed, e.g. tcp://scheduler:8786.",
)
def embed_command(
    path: Path,
    data: Path,
    run: Path | None,
    threads: int,
    embeddings: Path,
    place: str | None,
    skip_damaged: bool,
    rate: float | None,
    workers: str | None,
) -> None:
    """Write the image embeddings of all clips to disk. After an interruption the same command makes the missing ones.

    \b
    Example:
      python -m train embed --config configs/base.yaml --data corpora
      python -m train embed --config configs/base.yaml --data corpora --workers tcp://scheduler:8786
    """
    chosen, _ = load_config(path, run, threads)
    config.clips(chosen)
    processes = join()
    origin = go_on_from(chosen, place, processes)
    utterances = compare.find(chosen, data, processes, skip_damaged)
    _, store = compare.make_store(chosen, embeddings, rate or chosen.video.rate_hz, origin)
    if workers is not None:
        fill_by_workers(store, utterances, processes, workers, place, threads)
    else:
        store.fill(utterances, processes)
    if processes.is_main:
        click.echo(f"embeddings: {store.folder}")


def fill_by_workers(
    store: EmbeddingStore,
    utterances: Sequence[Utterance],
    processes: Processes,
    address: str,
    place: str | None,
    threads: int,
) -> None:
    """Have a cluster make the embeddings; UsageError without Dask, and among processes of a launcher."""
    if processes.count > 1:
        raise UsageError("--workers spreads the work itself; start the command without a launcher")
    with explain_missing("spread"):
        from ..clips.embed_cluster import fill_by_cluster
    fill_by_cluster(store, utterances, address, place, threads)
