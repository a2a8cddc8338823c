"""`python -m train`."""

import sys
from pathlib import Path
from typing import get_args

import click
import torch

from edge.errors import FoalError

from . import config
from .fit import EncoderStage, fit


@click.group()
def main() -> None:
    """From corpora to a checkpoint."""


@main.command("fit")
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="E.g. configs/nano.yaml.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    envvar="FOAL_DATA",
    required=True,
    help="Folder of the corpora [FOAL_DATA].",
)
@click.option("--run", type=click.Path(path_type=Path), help="Folder for what is made.  [default: runs/NAME]")
@click.option("--only", type=click.Choice(get_args(EncoderStage)), help="One encoder, e.g. to train both side by side.")
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Cores; it changes the last digits."
)
def fit_command(path: Path, data: Path, run: Path | None, only: EncoderStage | None, threads: int) -> None:
    """Train what a configuration describes. Run again after a kill, it goes on from the last whole epoch."""
    torch.set_num_threads(threads)
    chosen = config.load(path)
    checkpoint = fit(chosen, data, run or Path("runs") / chosen.name, only)
    if checkpoint is not None:
        click.echo(f"checkpoint: {checkpoint}")


def run_command() -> None:
    """Run; what the user can mend is said without a traceback."""
    try:
        main()
    except FoalError as error:
        click.echo(f"train: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    run_command()
