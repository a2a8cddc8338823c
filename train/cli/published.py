"""Command that converts a checkpoint of the authors' code."""

from pathlib import Path

import click

from .. import config, published
from .options import FOLDER


@click.command("convert-published")
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
