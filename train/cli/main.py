"""All commands of the training."""

import click

from .comparisons import ablate_command, crossval_command
from .corpora import corpora_group
from .field import field_command
from .fit import embed_command, fit_command
from .published import convert_command


@click.group()
def main() -> None:
    """Train a checkpoint from corpora, and examine the corpora.

    \b
    Example:
      python -m train fit --config configs/nano.yaml --data corpora
    """


for command in (
    fit_command,
    embed_command,
    crossval_command,
    ablate_command,
    field_command,
    corpora_group,
    convert_command,
):
    main.add_command(command)
