"""The command line of training: fit, embed, crossval, ablate, corpora list and check, convert-published."""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import click
import torch
from click.core import ParameterSource

from edge.errors import UsageError

from . import ablation, config, published
from .clips import compare
from .clips.crossval import RATES_HZ
from .clips.fit import fit as fit_clips
from .clips.split import PROTOCOLS, Protocol
from .config import Clips, Config
from .corpora import check, registry
from .log import console
from .processes import Processes, join
from .variants import FOAL_NET, VARIANTS, Variant
from .voices_and_faces.ablate import ablate as ablate_voices_and_faces
from .voices_and_faces.fit import EncoderStage
from .voices_and_faces.fit import fit as fit_voices_and_faces

Command = Callable[..., Any]

CLIP_OPTIONS = ("embeddings", "fold", "protocol", "finest")
VOICES_AND_FACES_OPTIONS = ("only",)
"""Options by the kind of configuration that knows them."""
FOLDER = click.Path(readable=False, path_type=Path)


def training_options(command: Command) -> Command:
    """The options that every training has."""
    for option in (
        click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU cores a process."),
        click.option("--run", type=FOLDER, help="Folder for what is made.  [default: runs/NAME]"),
        click.option(
            "--data", type=FOLDER, envvar="FOAL_DATA", required=True, help="Folder of the corpora [FOAL_DATA]."
        ),
        click.option("--config", "path", type=FOLDER, required=True, help="E.g. configs/nano.yaml."),
    ):
        command = option(command)
    return command


def clip_options(command: Command) -> Command:
    """The options of what is done with clips."""
    for option in (
        click.option(
            "--skip-damaged",
            is_flag=True,
            help="Go on without recordings that are missing, damaged, silent, too long or copied.",
        ),
        click.option(
            "--embeddings", type=FOLDER, default=Path("runs/embeddings"), show_default=True, help="Folder for them."
        ),
    ):
        command = option(command)
    return command


def comparison_options(command: Command) -> Command:
    """The options of a comparison."""
    for option in (
        click.option("--protocol", type=click.Choice(PROTOCOLS), multiple=True, help="Of clips.  [default: both]"),
        click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Runs of each row."),
    ):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """From corpora to a checkpoint."""


@main.command("fit")
@training_options
@clip_options
@click.option("--only", type=click.Choice(get_args(EncoderStage)), help="Of voices and faces: one encoder.")
@click.option("--fold", help="Of clips: the fold that is left out for the test.  [default: the last]")
def fit_command(
    path: Path,
    data: Path,
    run: Path | None,
    threads: int,
    embeddings: Path,
    skip_damaged: bool,
    only: EncoderStage | None,
    fold: str | None,
) -> None:
    """Train what a configuration describes. Run again after a kill, it goes on where it was."""
    chosen, folder = load_config(path, run, threads)
    refuse_options_of_other_recipes(chosen)
    processes = join()
    if isinstance(chosen.recipe, Clips):
        experiment, image_encoder = compare.prepare(chosen, data, folder, embeddings, processes, skip_damaged)
        checkpoint: Path | None = fit_clips(experiment, image_encoder, fold)
    else:
        refuse_several_processes(processes, chosen)
        checkpoint = fit_voices_and_faces(chosen, data, folder, only, skip_damaged)
    if checkpoint is not None and processes.is_main:
        click.echo(f"checkpoint: {checkpoint}")


@main.command("embed")
@training_options
@clip_options
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Pictures a second.  [default: the config's]")
def embed_command(
    path: Path,
    data: Path,
    run: Path | None,
    threads: int,
    embeddings: Path,
    skip_damaged: bool,
    rate: float | None,
) -> None:
    """Write the image embeddings of all clips to disk. Safe to kill; what is done is not done again."""
    chosen, _ = load_config(path, run, threads)
    processes = join()
    utterances = compare.find(chosen, data, processes, skip_damaged)
    _, store = compare.make_store(chosen, embeddings, rate or chosen.video.rate_hz)
    store.fill(utterances, processes)
    if processes.is_main:
        click.echo(f"embeddings: {store.folder}")


@main.command("crossval")
@training_options
@clip_options
@comparison_options
def crossval_command(path: Path, run: Path | None, threads: int, **options: Any) -> None:
    """Foal-Net with each fold left out once: as published, and strictly."""
    chosen, folder = load_config(path, run, threads)
    compare_clips(chosen, folder / "crossval", [FOAL_NET], **options)


@main.command("ablate")
@training_options
@clip_options
@comparison_options
@click.option(
    "--finest",
    type=click.FloatRange(0),
    default=max(RATES_HZ),
    show_default=True,
    help="Of clips: pictures a second up to which UA is drawn; embeddings are made at this rate.",
)
def ablate_command(path: Path, run: Path | None, threads: int, **options: Any) -> None:
    """The paper's table: audio only, video only, baseline, AVEL, MEM, both."""
    chosen, folder = load_config(path, run, threads)
    refuse_options_of_other_recipes(chosen)
    if isinstance(chosen.recipe, Clips):
        compare_clips(chosen, folder / "ablation", VARIANTS, **options)
    else:
        refuse_several_processes(join(), chosen)
        seeds = seeds_of(chosen, options["seeds"])
        found = ablate_voices_and_faces(chosen, options["data"], folder, seeds, command_line(), options["skip_damaged"])
        ablation.write(found, folder / "ablation")


@main.group("corpora")
def corpora_group() -> None:
    """What corpora there are, and whether one is whole."""


@corpora_group.command("list")
def list_command() -> None:
    """The corpora that can be trained on."""
    for name, corpus in {**registry.VOICES, **registry.CLIPS}.items():
        click.echo(f"{name}: {corpus.ABOUT}")


@corpora_group.command("check")
@click.argument("name")
@click.argument("root", type=FOLDER, envvar="FOAL_DATA")
@click.option("--deep", is_flag=True, help="Decode every file to its end.")
def check_command(name: str, root: Path, deep: bool) -> None:
    """Count the corpus NAME in the folder ROOT by class, speaker and fold, and look into its files."""
    report = check.check(name, root, deep)
    console.print(*check.tables(report))
    if report.problems:
        sys.exit(UsageError.exit_status)


@main.command("convert-published")
@click.argument("published_checkpoint", type=FOLDER)
@click.option(
    "--config", "path", type=FOLDER, default=Path("configs/published.yaml"), show_default=True, help="Of its sizes."
)
@click.option("-o", "--output", type=FOLDER, required=True, help="The checkpoint to be written.")
def convert_command(published_checkpoint: Path, path: Path, output: Path) -> None:
    """Turn a checkpoint of the authors' code into one of this project's."""
    published.convert(published_checkpoint, config.load(path), output)
    click.echo(f"checkpoint: {output}")


def compare_clips(
    chosen: Config,
    folder: Path,
    variants: Sequence[Variant],
    *,
    data: Path,
    embeddings: Path,
    skip_damaged: bool,
    protocol: Sequence[Protocol],
    seeds: int,
    finest: float = 0.0,
) -> None:
    """Do all runs of a comparison on clips, and write what they found into the folder."""
    experiment, _ = compare.prepare(chosen, data, folder, embeddings, join(), skip_damaged, finest)
    found = compare.compare(experiment, variants, protocol or PROTOCOLS, seeds_of(chosen, seeds), command_line())
    if experiment.processes.is_main:
        ablation.write(found, folder)


def load_config(path: Path, run: Path | None, threads: int) -> tuple[Config, Path]:
    """The configuration and the run's folder, after the number of cores is set."""
    torch.set_num_threads(threads)
    chosen = config.load(path)
    return chosen, run or Path("runs") / chosen.name


def refuse_several_processes(processes: Processes, chosen: Config) -> None:
    """UsageError where several processes were started for what one does."""
    if processes.count > 1:
        raise UsageError(f"{processes.count} processes: {chosen.name} is trained by one; start it without a launcher")


def refuse_options_of_other_recipes(chosen: Config) -> None:
    """UsageError where an option was given that only the other kind of configuration knows."""
    context = click.get_current_context()
    kind, others = (
        ("clips", VOICES_AND_FACES_OPTIONS) if isinstance(chosen.recipe, Clips) else ("voices and faces", CLIP_OPTIONS)
    )
    for name in others:
        if name in context.params and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--{name.replace('_', '-')}: {chosen.name} is trained on {kind}, which has no such option"
            )


def seeds_of(chosen: Config, count: int) -> list[int]:
    """The configuration's seed and those after it."""
    return list(range(chosen.seed, chosen.seed + count))


def command_line() -> str:
    """The command as it was given, for the tables that it makes."""
    return shlex.join(["python", "-m", "train", *sys.argv[1:]])
