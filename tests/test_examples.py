"""Every command of training, export and the measurements has an example in its help, and the example parses."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from benchmarks.commands import main as benchmarks
from export.commands import main as export
from train.cli.main import main as train

PROGRAMS = {"python -m train": train, "python -m export": export, "python -m benchmarks": benchmarks}
EXAMPLE = re.compile(r"^ +(python -m .*)$", re.MULTILINE)


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            yield from commands(inner, f"{name} {part}")


@pytest.mark.parametrize(
    ("name", "command"),
    [pytest.param(*found, id=found[0]) for name, program in PROGRAMS.items() for found in commands(program, name)],
)
def test_a_commands_help_has_an_example_that_parses(name: str, command: click.Command) -> None:
    examples = EXAMPLE.findall(command.get_help(click.Context(command, info_name=name)))
    assert examples
    for example in examples:
        assert example.startswith(name)
        words = shlex.split(example)[3:]
        parsed: click.Command = PROGRAMS[" ".join(shlex.split(example)[:3])]
        while isinstance(parsed, click.Group):
            parsed = parsed.commands[words.pop(0)]
        parsed.make_context(name, words, resilient_parsing=False)
