"""Beginning of every command that trains: its configuration, its network to go on from, its seeds."""

import shlex
import sys
from pathlib import Path

import click
import torch

from edge.errors import UsageError

from .. import config
from ..config import Clips, Config
from ..origin import Origin, open_origin
from ..processes import Processes


def go_on_from(chosen: Config, place: str | None, processes: Processes) -> Origin | None:
    """Return the network that `--from` names, and say whose terms hold for what is made of it; None without one.

    Clips may not go without: UsageError where they would need one.
    """
    if place is None and not isinstance(chosen.recipe, Clips):
        return None
    origin = open_origin(chosen, place)
    if origin and processes.is_main:
        ancestor = origin.ancestor
        click.echo(f"from {ancestor.name}, whose licence holds for the new weights, too: {ancestor.licence}")
    return origin


def load_config(path: Path, run: Path | None, threads: int) -> tuple[Config, Path]:
    """Set the number of cores; return the configuration and the run's folder."""
    torch.set_num_threads(threads)
    chosen = config.load(path)
    return chosen, run or Path("runs") / chosen.name


def refuse_several_processes(processes: Processes, chosen: Config) -> None:
    """Raise UsageError if several processes were started for a recipe that uses one."""
    if processes.count > 1:
        raise UsageError(
            f"{processes.count} processes: {chosen.name} is trained by one process; start it without a launcher"
        )


def seeds_of(chosen: Config, count: int) -> list[int]:
    """Return the configuration's seed and those after it."""
    return list(range(chosen.seed, chosen.seed + count))


def command_line() -> str:
    """Return the command as it was given, for the tables that it makes."""
    return shlex.join(["python", "-m", "train", *sys.argv[1:]])
