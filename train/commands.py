"""Commands of the training: fit, embed, crossval, ablate, field, corpora list and check, convert-published."""

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import click
import torch
from click.core import ParameterSource

from edge.bundle.load import SHIPPED
from edge.errors import UsageError

from . import ablation, config, published
from .clips import compare
from .clips.crossval import RATES_HZ
from .clips.fit import fit as fit_clips
from .clips.split import PROTOCOLS, Protocol
from .config import Clips, Config
from .corpora import check, registry
from .field import run as field
from .field.model import open_model
from .field.recordings import FieldFold, Recordings
from .field.results import Results, fingerprint
from .folders import make_writable
from .log import console
from .origin import Origin, open_origin
from .processes import SINGLE_PROCESS, Processes, join
from .variants import FOAL_NET, VARIANTS, Variant
from .voices_and_faces.ablate import ablate as ablate_voices_and_faces
from .voices_and_faces.fit import EncoderStage
from .voices_and_faces.fit import fit as fit_voices_and_faces

Command = Callable[..., Any]

CLIP_OPTIONS = ("embeddings", "fold", "protocol", "finest")
VOICES_AND_FACES_OPTIONS = ("only",)
"""Options of recipes of voices and faces only; those above are of clips only."""
FOLDER = click.Path(readable=False, path_type=Path)


def training_options(command: Command) -> Command:
    """Add the options of every training."""
    for option in (
        click.option(
            "--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU cores of each process."
        ),
        click.option("--run", type=FOLDER, help="Folder to write to.  [default: runs/NAME]"),
        click.option(
            "--data", type=FOLDER, envvar="FOAL_DATA", required=True, help="Folder of the corpora [FOAL_DATA]."
        ),
        click.option("--config", "path", type=FOLDER, required=True, help="Configuration, such as configs/nano.yaml."),
    ):
        command = option(command)
    return command


def clip_options(command: Command) -> Command:
    """Add the options of recipes of clips."""
    for option in (
        click.option(
            "--skip-damaged",
            is_flag=True,
            help="Leave out recordings that are missing, damaged, silent, too long or copied, instead of stopping.",
        ),
        click.option(
            "--embeddings",
            type=FOLDER,
            default=Path("runs/embeddings"),
            show_default=True,
            help="Folder of the image embeddings.",
        ),
        click.option(
            "--from",
            "place",
            help=f"Network to go on from, its encoders kept: {SHIPPED.name}, a bundle's folder, or a checkpoint.",
        ),
    ):
        command = option(command)
    return command


def comparison_options(command: Command) -> Command:
    """Add the options of a comparison."""
    for option in (
        click.option(
            "--protocol",
            type=click.Choice(PROTOCOLS),
            multiple=True,
            help="For clips: evaluation protocol; may be repeated.  [default: both]",
        ),
        click.option(
            "--seeds",
            type=click.IntRange(1),
            default=3,
            show_default=True,
            help="Number of runs of each row, each with another seed.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """Train a checkpoint from corpora, and examine the corpora.

    \b
    Example:
      python -m train fit --config configs/nano.yaml --data corpora
    """


@main.command("fit")
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
            chosen, data, folder, embeddings, processes, skip_damaged, origin=origin
        )
        checkpoint: Path | None = fit_clips(experiment, image_encoder, fold)
    else:
        refuse_several_processes(processes, chosen)
        if place is not None and only:
            raise UsageError(f"--from {place}: both encoders come from there, so that there is none to train by --only")
        origin = go_on_from(chosen, place, processes) if place is not None else None
        make_writable(folder, "--run")
        checkpoint = fit_voices_and_faces(chosen, data, folder, only, skip_damaged, origin)
    if checkpoint is not None and processes.is_main:
        click.echo(f"checkpoint: {checkpoint}")


@main.command("embed")
@training_options
@clip_options
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Frames a second.  [default: that of the configuration]"
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
) -> None:
    """Write the image embeddings of all clips to disk. After an interruption the same command makes the missing ones.

    \b
    Example:
      python -m train embed --config configs/base.yaml --data corpora
    """
    chosen, _ = load_config(path, run, threads)
    config.clips(chosen)
    processes = join()
    origin = go_on_from(chosen, place, processes)
    utterances = compare.find(chosen, data, processes, skip_damaged)
    _, store = compare.make_store(chosen, embeddings, rate or chosen.video.rate_hz, origin)
    store.fill(utterances, processes)
    if processes.is_main:
        click.echo(f"embeddings: {store.folder}")


@main.command("crossval")
@training_options
@clip_options
@comparison_options
def crossval_command(path: Path, run: Path | None, threads: int, **options: Any) -> None:
    """Cross-validate Foal-Net, each fold left out once, by the published and the strict protocol.

    \b
    Example:
      python -m train crossval --config configs/base.yaml --data corpora --protocol strict
    """
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
    help="For clips: the highest frame rate that UA is plotted for; embeddings are made at this rate.",
)
def ablate_command(path: Path, run: Path | None, threads: int, **options: Any) -> None:
    """Make the paper's ablation table: audio only, video only, baseline, AVEL, MEM, both.

    \b
    Example:
      python -m train ablate --config configs/nano.yaml --data corpora --seeds 3
    """
    chosen, folder = load_config(path, run, threads)
    refuse_options_of_other_recipes(chosen)
    if isinstance(chosen.recipe, Clips):
        compare_clips(chosen, folder / "ablation", VARIANTS, **options)
    else:
        refuse_several_processes(join(), chosen)
        seeds = seeds_of(chosen, options["seeds"])
        place = options["place"]
        origin = go_on_from(chosen, place, SINGLE_PROCESS) if place is not None else None
        make_writable(folder, "--run")
        found = ablate_voices_and_faces(
            chosen, options["data"], folder, seeds, command_line(), options["skip_damaged"], origin
        )
        ablation.write(found, folder / "ablation")


@main.command("field")
@click.argument("model", type=FOLDER, default=SHIPPED)
@click.option("--data", type=FOLDER, envvar="FOAL_DATA", required=True, help="Folder of the corpora [FOAL_DATA].")
@click.option(
    "--config",
    "path",
    type=FOLDER,
    default=Path("configs/nano.yaml"),
    show_default=True,
    help="Configuration that says who was not trained on.",
)
@click.option("--out", "folder", type=FOLDER, default=Path("runs/field"), show_default=True, help="Folder to write to.")
@click.option(
    "--fold",
    type=click.Choice(get_args(FieldFold)),
    default="held-out",
    show_default=True,
    help="Speakers and faces: of the validation, of the test, or of both (held-out).",
)
@click.option("--only", multiple=True, help="Run only what has this in its name; may be repeated and hold wildcards.")
@click.option("--most", type=click.IntRange(4), help="Recordings for each row.  [default: 300, with --quick 24]")
@click.option("--quick", is_flag=True, help="Take few recordings for each row: a look at the model in about a minute.")
@click.option("--seed", type=click.IntRange(0), default=1234, show_default=True, help="Seed of all random draws.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU cores.")
def field_command(
    model: Path,
    data: Path,
    path: Path,
    folder: Path,
    fold: FieldFold,
    only: Sequence[str],
    most: int | None,
    quick: bool,
    seed: int,
    threads: int,
) -> None:
    """Test a bundle in the conditions of real rooms: noise, distance, silence, tilted and covered faces, mismatches.

    MODEL is the bundle's folder, by default the shipped one. Recordings are of people that the configuration does not
    train on. After an interruption the same command goes on where it was.

    \b
    Example:
      python -m train field my-bundle --data corpora --quick
    """
    torch.set_num_threads(threads)
    most = most or (field.QUICK if quick else field.USUAL)
    opened = open_model(model, threads)
    make_writable(folder, "--out")
    recordings = Recordings(config.load(path), opened.judge.manifest.labels, data, fold, most, seed)
    settings = {"fold": fold, "recordings a row": str(most), "seed": str(seed)}
    key = fingerprint(opened.fingerprint, str(path), *settings.values())
    started = Results(opened.title, key, command_line(), settings, {})
    field.run(opened.judge, recordings, most, started, only, folder)


@main.group("corpora")
def corpora_group() -> None:
    """List the corpora, and check one for missing and damaged files.

    \b
    Example:
      python -m train corpora list
    """


@corpora_group.command("list")
def list_command() -> None:
    """List the corpora that can be trained on, with their terms.

    \b
    Example:
      python -m train corpora list
    """
    for name, corpus in {**registry.VOICES, **registry.CLIPS}.items():
        click.echo(f"{name}: {corpus.ABOUT}")


@corpora_group.command("check")
@click.argument("name")
@click.argument("root", type=FOLDER, envvar="FOAL_DATA")
@click.option("--deep", is_flag=True, help="Decode every file to its end.")
def check_command(name: str, root: Path, deep: bool) -> None:
    """Count the utterances of the corpus NAME in the folder ROOT by class, speaker and fold, and check its files.

    \b
    Example:
      python -m train corpora check iemocap corpora --deep
    """
    report = check.check(name, root, deep)
    console.print(*check.tables(report))
    if report.problems:
        sys.exit(UsageError.exit_status)


@main.command("convert-published")
@click.argument("published_checkpoint", type=FOLDER)
@click.option(
    "--config",
    "path",
    type=FOLDER,
    default=Path("configs/published.yaml"),
    show_default=True,
    help="Configuration of the same sizes.",
)
@click.option("-o", "--output", type=FOLDER, required=True, help="Checkpoint to write.")
def convert_command(published_checkpoint: Path, path: Path, output: Path) -> None:
    """Convert a checkpoint of the authors' code to one of this project.

    \b
    Example:
      python -m train convert-published foalnet.pt -o runs/foal-published/checkpoint.safetensors
    """
    published.convert(published_checkpoint, config.load(path), output)
    click.echo(f"checkpoint: {output}")


def compare_clips(
    chosen: Config,
    folder: Path,
    variants: Sequence[Variant],
    *,
    data: Path,
    embeddings: Path,
    place: str | None,
    skip_damaged: bool,
    protocol: Sequence[Protocol],
    seeds: int,
    finest: float = 0.0,
) -> None:
    """Do all runs of a comparison on clips, and write the results into the folder."""
    config.clips(chosen)
    processes = join()
    origin = go_on_from(chosen, place, processes)
    make_writable(folder, "--run")
    experiment, _ = compare.prepare(chosen, data, folder, embeddings, processes, skip_damaged, finest, origin)
    found = compare.compare(experiment, variants, protocol or PROTOCOLS, seeds_of(chosen, seeds), command_line())
    if experiment.processes.is_main:
        ablation.write(found, folder)


def go_on_from(chosen: Config, place: str | None, processes: Processes) -> Origin | None:
    """Return the network that `--from` names, and say whose terms hold for what is made of it; None without one."""
    origin = open_origin(chosen, place)
    if origin and processes.is_main:
        ancestor = origin.ancestor
        click.echo(f"from {ancestor.name}, whose licence holds for the new weights, too: {ancestor.licence}")
    return origin


def load_config(path: Path, run: Path | None, threads: int) -> tuple[Config, Path]:
    """Set the number of cores; return the configuration and the run's folder."""
    torch.set_num_threads(threads)
    chosen = config.load(path)
    return chosen, run or Path("runs") / chosen.name


def refuse_several_processes(processes: Processes, chosen: Config) -> None:
    """Raise UsageError if several processes were started for a recipe that uses one."""
    if processes.count > 1:
        raise UsageError(
            f"{processes.count} processes: {chosen.name} is trained by one process; start it without a launcher"
        )


def refuse_options_of_other_recipes(chosen: Config) -> None:
    """Raise UsageError if an option was given that only the other kind of recipe has."""
    context = click.get_current_context()
    kind, others = (
        ("clips", VOICES_AND_FACES_OPTIONS) if isinstance(chosen.recipe, Clips) else ("voices and faces", CLIP_OPTIONS)
    )
    for name in others:
        if name in context.params and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            (option,) = (parameter.opts[0] for parameter in context.command.params if parameter.name == name)
            raise UsageError(f"{option}: {chosen.name} is trained on {kind}, which has no such option")


def seeds_of(chosen: Config, count: int) -> list[int]:
    """Return the configuration's seed and those after it."""
    return list(range(chosen.seed, chosen.seed + count))


def command_line() -> str:
    """Return the command as it was given, for the tables that it makes."""
    return shlex.join(["python", "-m", "train", *sys.argv[1:]])
