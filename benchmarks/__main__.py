"""Command line of the measurements from the checkout: `python -m benchmarks`."""

import sys

import click

from edge.errors import FoalError
from train.packages import explain_missing


def run_command() -> None:
    """Run the command; print errors that the user can fix without a traceback."""
    try:
        with explain_missing("dev"):
            from .commands import main
        main()
    except FoalError as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    run_command()
