"""Options that several commands of the training share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edge.bundle.load import SHIPPED
from edge.errors import UsageError

from ..clips.split import PROTOCOLS
from ..config import Clips, Config

Command = Callable[..., Any]

CLIP_OPTIONS = ("embeddings", "fold", "protocol", "finest")
VOICES_AND_FACES_OPTIONS = ("only",)
"""Options of recipes of voices and faces only; those above are of clips only."""
FOLDER = click.Path(readable=False, path_type=Path)


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds all options to a command; help has them in the opposite order."""

    def add(command: Command) -> Command:
        for option in options:
            command = option(command)
        return command

    return add


training_options = together(
    click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU cores of each process."),
    click.option("--run", type=FOLDER, help="Folder to write to.  [default: runs/NAME]"),
    click.option("--data", type=FOLDER, envvar="FOAL_DATA", required=True, help="Folder of the corpora [FOAL_DATA]."),
    click.option("--config", "path", type=FOLDER, required=True, help="Configuration, such as configs/nano.yaml."),
)
"""Options of every training."""


clip_options = together(
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
        help=f"Network to go on from, its encoders kept but for layers that the recipe moves: {SHIPPED.name}, a "
        "bundle's folder, or a checkpoint.",
    ),
)
"""Options of recipes of clips."""


comparison_options = together(
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
)
"""Options of a comparison."""


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
