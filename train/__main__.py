"""Command line of the training: `python -m train`."""

import os
import sys

import click

from edge.errors import FoalError

from .packages import AMX_AT_MOST, explain_missing


def run_command() -> None:
    """Run the command; print errors that the user can fix without a traceback."""
    os.environ.setdefault(*AMX_AT_MOST)
    try:
        with explain_missing():
            from .cli.main import main
        main()
    except FoalError as error:
        click.echo(f"train: {error}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:  # while torch is imported; afterwards click says so
        click.echo("Aborted!", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run_command()
