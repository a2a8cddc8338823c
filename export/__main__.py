"""`python -m export`."""

import sys
from pathlib import Path

import click

from edge.errors import FoalError
from train.checkpoint import load

from .bundle import write


@click.group()
def main() -> None:
    """From a checkpoint to a bundle."""


@main.command("bundle")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of the bundle.")
def bundle_command(checkpoint: Path, output: Path) -> None:
    """Export a checkpoint's three graphs, compare each with torch, and write the bundle."""
    write(load(checkpoint), output, click.echo)


def run_command() -> None:
    """Run; what the user can mend is said without a traceback."""
    try:
        main()
    except FoalError as error:
        click.echo(f"export: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    run_command()
