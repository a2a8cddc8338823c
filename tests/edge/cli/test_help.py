"""Help: light to print, whole, and with examples that parse."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from edge.cli.groups import Command, Examples, Group
from edge.cli.main import SECTIONS, main
from edge.cli.run_options import DEFAULTS, HEADINGS
from edge.session.config import StreamConfig

ROOT = Path(__file__).parents[3]
HEAVY = ["cv2", "numpy", "onnxruntime", "av", "sounddevice", "prometheus_client", "rich"]
LIGHT = [["--version"], ["--help"], *([name, "--help"] for name in ("listen", "status", "keys"))]


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


COMMANDS = dict(commands(main))


def examples(command: click.Command) -> Examples:
    assert isinstance(command, Command | Group)
    return command.examples


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_a_light_command_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv[1:] = {arguments}\nfrom edge.__main__ import main\ntry:\n    main()\n"
        f"finally:\n    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "[]\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_has_its_examples(edge_command, name: str) -> None:
    ended = edge_command(*name.split(), "--help")
    assert (ended.status, ended.err) == (0, "")
    usage = ended.out.splitlines()[0]  # older versions of click put before it what runs the tests
    assert usage.startswith("Usage: ")
    assert " ".join(["foal-edge", *name.split()]) in usage
    assert examples(COMMANDS[name])
    for line, text in examples(COMMANDS[name]):
        assert f"  foal-edge {line}".rstrip() + "\n" in ended.out
        assert text.split()[0] in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def protected_args(context: click.Context) -> list[str]:
    """Arguments that click 8.1 keeps in public, later versions not."""
    return getattr(context, "_protected_args", None) or vars(context).get("protected_args", [])


@pytest.mark.parametrize(
    "line", {line: None for command in COMMANDS.values() for line, _ in examples(command)}, ids=lambda line: line or "-"
)
def test_an_example_parses(line: str) -> None:
    context = main.make_context("foal-edge", shlex.split(line))
    command: click.Command = main
    while isinstance(command, click.Group) and (words := [*protected_args(context), *context.args]):
        name, found, rest = command.resolve_command(context, words)
        assert found is not None
        context, command = found.make_context(name, rest, parent=context), found
    assert not context.args


@pytest.mark.parametrize("name", [name for section in SECTIONS.values() for name in section])
def test_the_list_of_commands_says_what_their_help_says(name: str) -> None:
    summary = next(section[name].summary for section in SECTIONS.values() if name in section)
    said = (COMMANDS[name].help or "").split("\n\n")[0].replace("\n", " ")
    assert said == f"{summary}."


def test_help_groups_commands_and_options(edge_command) -> None:
    lines = edge_command("--help").out.splitlines()
    titles = [line.rstrip(":") for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == [*HEADINGS, "Other options", *SECTIONS, "Examples"]


def test_every_option_of_a_run_is_in_the_help(edge_command) -> None:
    out = edge_command("--help").out
    options = {option for parameter in main.params for option in parameter.opts}
    assert [option for option in options if f"  {option} " not in out and f"  {option}\n" not in out] == []
    named = [name for names in HEADINGS.values() for name in names]
    assert sorted(named) == sorted({str(parameter.name) for parameter in main.params} - {"version"})


def test_help_tells_the_defaults_of_the_settings(edge_command) -> None:
    out = " ".join(edge_command("--help").out.split())
    stream = StreamConfig()
    for default in (DEFAULTS.hop_s, DEFAULTS.backend, DEFAULTS.threads, DEFAULTS.format, stream.camera, stream.mic):
        assert f"[default: {default}]" in out
