"""`python -m train`."""

import sys

import click

from edge.errors import FoalError

from .commands import main


def run_command() -> None:
    """Run; what the user can mend is said without a traceback."""
    try:
        main()
    except FoalError as error:
        click.echo(f"train: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    run_command()
