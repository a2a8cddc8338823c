"""Commands that list the corpora, and check one."""

import sys
from pathlib import Path

import click

from edge.errors import UsageError

from ..corpora import check, registry
from ..log import console
from .options import FOLDER


@click.group("corpora")
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
