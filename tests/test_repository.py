"""The project as a whole: what ships, what the README promises, what the configurations say."""

import re
import shlex
import sys
from pathlib import Path

import msgspec
import pytest

from edge.cli.main import main as foal_edge
from edge.wire import messages
from edge.wire.drop_reasons import DROP_REASONS
from export.__main__ import main as export
from train import config
from train.commands import main as train
from train.provenance import trained_on

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONFIGS = sorted(set((ROOT / "configs").glob("*.yaml")) - {ROOT / "configs" / "edge.yaml"})
PROGRAMS = {"foal-edge": foal_edge, "python -m train": train, "python -m export": export}


def test_every_sub_package_of_the_runtime_is_in_the_wheel():
    folders = {path.parent.relative_to(ROOT / "edge") for path in (ROOT / "edge").rglob("__init__.py")}
    packages = {".".join(("foal_edge", *folder.parts)) for folder in folders}
    assert packages == set(PROJECT["tool"]["setuptools"]["packages"])


def test_torch_is_no_dependency_of_the_runtime():
    assert not [need for need in PROJECT["project"]["dependencies"] if re.match(r"torch|onnx(?!runtime)", need)]


def test_package_initialisers_hold_a_docstring_only():
    for room in ("edge", "train", "export"):
        for path in (ROOT / room).rglob("__init__.py"):
            assert re.fullmatch(r'"""[^"]+"""\n', path.read_text()), path


def test_the_shipped_weights_say_their_licence():
    licence = (ROOT / "edge/models/foal-nano/LICENSE").read_text()
    assert "CC BY-NC-SA 4.0" in licence
    assert "non-commercial" in licence


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configurations_load(path):
    loaded = config.load(path)
    assert f"{loaded.name.removeprefix('foal-')}.yaml" == path.name
    assert all(trained_on(loaded))
    recipe = loaded.recipe
    if isinstance(recipe, config.VoicesAndFaces):
        assert not set(recipe.validation_speakers) & set(recipe.test_speakers)


def code_blocks(language, page=README):
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def documented_commands():
    pages = [README, *(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))]
    lines = "\n".join(block for page in pages for block in code_blocks("sh", page)).replace("&&\n", "&& ").splitlines()
    for line in lines:
        for part in line.split("#")[0].split("&&"):
            words = shlex.split(part.strip().removeprefix(".venv/bin/"))
            for name, program in PROGRAMS.items():
                prefix = name.split()
                if words[: len(prefix)] == prefix:
                    yield pytest.param(program, words[len(prefix) :], id=" ".join(words))


@pytest.mark.parametrize(("program", "words"), list(documented_commands()))
def test_documented_commands_parse(program, words):
    command = program
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known
    command.make_parser(command.context_class(command)).parse_args(list(words))


def test_the_readme_has_two_set_up_commands():
    assert re.findall(r"<!-- (\w+) -->", README) == ["run", "test"]


def test_the_message_of_the_readme_is_one_of_this_version():
    (shown,) = code_blocks("json")
    message = msgspec.json.decode(shown, type=messages.Prediction)
    assert list(message.dropped) == list(DROP_REASONS)
    assert set(msgspec.to_builtins(message)) == set(msgspec.json.decode(shown))
