"""Commands that train many times and compare: cross-validation, and the paper's ablation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .. import ablation, config
from ..clips import compare
from ..clips.crossval import RATES_HZ
from ..clips.split import PROTOCOLS, Protocol
from ..config import Clips, Config
from ..folders import make_writable
from ..processes import SINGLE_PROCESS, join
from ..variants import FOAL_NET, VARIANTS, Variant
from ..voices_and_faces.ablate import ablate as ablate_voices_and_faces
from .options import clip_options, comparison_options, refuse_options_of_other_recipes, training_options
from .start import command_line, go_on_from, load_config, refuse_several_processes, seeds_of


@click.command("crossval")
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


@click.command("ablate")
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
        origin = go_on_from(chosen, options["place"], SINGLE_PROCESS)
        make_writable(folder, "--run")
        found = ablate_voices_and_faces(
            chosen, options["data"], folder, seeds, command_line(), options["skip_damaged"], origin
        )
        ablation.write(found, folder / "ablation")


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
    protocols = protocol or PROTOCOLS
    experiment, _ = compare.prepare(
        chosen, data, folder, embeddings, processes, skip_damaged, finest, origin, protocols
    )
    found = compare.compare(experiment, variants, protocols, seeds_of(chosen, seeds), command_line())
    if experiment.processes.is_main:
        ablation.write(found, folder)
