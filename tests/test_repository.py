"""The project as a whole: what ships, what the README and the documentation promise, what the configurations say."""

import ast
import configparser
import importlib
import importlib.util
import itertools
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import msgspec
import pytest
import yaml

from benchmarks.commands import main as benchmarks
from edge.cli.main import main as foal_edge
from edge.wire import messages
from edge.wire.drop_reasons import DROP_REASONS
from export.commands import main as export
from train import config
from train.cli.main import main as train
from train.provenance import trained_on

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONFIGS = sorted(set((ROOT / "configs").glob("*.yaml")) - {ROOT / "configs" / "edge.yaml"})
PROGRAMS = {
    "foal-edge": foal_edge,
    "python -m edge": foal_edge,
    "python -m train": train,
    "python -m export": export,
    "python -m benchmarks": benchmarks,
}
OTHER_PROGRAMS = {
    *(
        "apt-get",
        "bash",
        "cyclonedx-py",
        "dask",
        "docker",
        "dpkg-query",
        "export",
        "ffmpeg",
        "find",
        "grep",
        "head",
        "install",
        "jetson_clocks",
        "journalctl",
        "ln",
    ),
    *(
        "g++",
        "kubectl",
        "node",
        "npm",
        "nvpmodel",
        "pip",
        "pre-commit",
        "pytest",
        "python",
        "python3",
        "source",
        "systemctl",
        "tritonserver",
        "useradd",
    ),
}
"""Programs of the system that a page may call; whether they have the options is not tested."""
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "edge/models").glob("*/*.md")),
        ROOT / "examples/README.md",
        ROOT / "findings/README.md",
        ROOT / "train/EXPERIMENTS.md",
    )
}


def test_every_sub_package_of_the_runtime_is_in_the_wheel():
    folders = {path.parent.relative_to(ROOT / "edge") for path in (ROOT / "edge").rglob("__init__.py")}
    packages = {".".join(("foal_edge", *folder.parts)) for folder in folders}
    assert packages == set(PROJECT["tool"]["setuptools"]["packages"])


def test_torch_is_no_dependency_of_the_runtime():
    assert not [need for need in PROJECT["project"]["dependencies"] if re.match(r"torch|onnx(?!runtime)", need)]


def test_package_initialisers_hold_a_docstring_only():
    for room in ("edge", "train", "export", "benchmarks"):
        for path in set((ROOT / room).rglob("__init__.py")) - {ROOT / "edge/__init__.py"}:  # which has public names
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


def code_blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def running_text(page: str) -> str:
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL)


def commands_of(line: str) -> Iterator[list[str]]:
    """The words of each command of a shell line, without what stands before a program of the project."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    for is_separator, group in itertools.groupby(lexer, key=lambda word: word in {"&&", "|", ";"}):
        words = [] if is_separator else list(itertools.dropwhile(re.compile(r"\w+=").match, group))
        if words[:1] == ["sudo"]:
            words = words[3 if words[1] == "-u" else 1 :]
        if words[:1] == ["torchrun"]:
            words = ["python", "-m", *words[words.index("--") + 1 :]]
        if words and words[0].startswith("qemu-"):
            words = words[words.index(".venv/bin/python") + 1 :]
        if words:
            yield [re.sub(r"^(/opt/foal-edge|\.venv)/bin/", "", words[0]), *words[1:]]


def documented_commands() -> Iterator[Any]:
    """Every command of the shell blocks, and those of the project that stand in running text."""
    for name, page in PAGES.items():
        lines = "\n".join(code_blocks("sh", page)).replace("&&\n", "&& ").splitlines()
        text = re.sub(r"\s+", " ", running_text(page))
        lines += re.findall(r"`((?:foal-edge|pytest|python -m) [^`]*)`", text)
        for words in {tuple(words): words for line in lines for words in commands_of(line)}.values():
            yield pytest.param(words, id=f"{name}: {' '.join(words)}")


@pytest.mark.parametrize("words", list(documented_commands()))
def test_documented_commands_parse(words: list[str]) -> None:
    for name, program in PROGRAMS.items():
        prefix = name.split()
        if words[: len(prefix)] == prefix:
            parse(program, words[len(prefix) :])
            return
    if words[0] == "pytest":
        paths = [word for word in words[1:] if "/" in word]
        assert [path for path in paths if not (ROOT / path.partition("::")[0]).exists()] == []
    elif words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]), f"there is no module {words[2]}"
    else:
        assert words[0] in OTHER_PROGRAMS


def parse(command: click.Command, words: list[str]) -> None:
    """Parse the words as the program does; a usage error, or an option that it does not have, fails."""
    context = click.Context(command)
    while words and isinstance(command, click.Group) and (found := command.get_command(context, words[0])) is not None:
        command, words = found, words[1:]
    assert words[:1] != ["COMMAND"] or isinstance(command, click.Group)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= known
    if "COMMAND" not in words and "--help" not in words:
        command.make_parser(command.context_class(command)).parse_args(list(words))


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page, folder = running_text(PAGES[name]), (ROOT / name).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", page):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (folder / path).resolve() if path else ROOT / name
        assert file.exists(), f"{target} is no file"
        if anchor:
            assert anchor in anchors(file.read_text()), f"{target} is no heading"


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", running_text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_paths_in_running_text_exist(name: str) -> None:
    paths = re.findall(r"`((?:edge|train|export|benchmarks|tests|docs|configs)/[\w/.-]+)`", running_text(PAGES[name]))
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_python_of_the_pages_imports_what_there_is(name: str) -> None:
    for block in code_blocks("python", PAGES[name]):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Import):
                assert all(importlib.util.find_spec(alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(re.sub(r"^foal_edge\b", "edge", node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("name", PAGES)
def test_data_of_the_pages_can_be_read(name: str) -> None:
    for block in code_blocks("yaml", PAGES[name]):
        assert yaml.safe_load(block)
    for block in code_blocks("json", PAGES[name]):
        assert msgspec.json.decode(block)
    for block in code_blocks("ini", PAGES[name]):
        configparser.ConfigParser(strict=False, interpolation=None).read_string(block)


def test_every_page_of_docs_is_linked_in_the_readme() -> None:
    assert [path.name for path in (ROOT / "docs").glob("*.md") if f"(docs/{path.name})" not in README] == []


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_picture_of_the_readme_is_svg_that_says_what_it_shows() -> None:
    (picture,) = re.findall(r"!\[.+\]\((\S+\.svg)\)", README)
    root = ElementTree.parse(ROOT / picture).getroot()
    assert root.tag.endswith("}svg")
    assert all(root.findtext(f"{{*}}{name}") for name in ("title", "desc"))


def test_the_readme_has_two_set_up_commands() -> None:
    assert re.findall(r"<!-- (\w+) -->", README) == ["run", "test"]


def test_the_message_of_the_readme_is_one_of_this_version() -> None:
    (shown,) = code_blocks("json")
    message = msgspec.json.decode(shown, type=messages.Prediction)
    assert list(message.dropped) == list(DROP_REASONS)
    assert set(msgspec.to_builtins(message)) == set(msgspec.json.decode(shown))


def test_the_architecture_names_every_room_of_the_runtime_and_no_other() -> None:
    rooms = {path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "edge").rglob("__init__.py")} - {"edge"}
    named = re.findall(r"^\| `(edge/[\w/]+?)/?` \|", PAGES["docs/architecture.md"], re.MULTILINE)
    assert sorted(named) == sorted(rooms)
