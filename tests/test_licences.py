"""The page of licences: every package that comes along is named, and its program runs."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_repository import PROJECT, ROOT

PAGE = (ROOT / "docs" / "licences.md").read_text()


def needed(lines: list[str]) -> set[str]:
    """What these requirements bring, and what that brings, as far as it is installed here."""
    wanted, found = list(lines), set()
    while wanted:
        requirement = Requirement(wanted.pop())
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            wanted += requires(name) or []
        except PackageNotFoundError:
            continue
    return found


def test_every_package_that_comes_along_is_named() -> None:
    rows = {canonicalize_name(row) for row in re.findall(r"^\| (\S+) \| \d", PAGE, re.MULTILINE)}
    said = {canonicalize_name(name) for name in re.findall(r"`([\w-]+)`", PAGE)}
    assert needed(PROJECT["project"]["dependencies"]) <= rows | said
    direct = {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]}
    assert direct <= rows


def test_the_library_says_its_own_licence_as_the_page_asks_it() -> None:
    command = re.search(r"```sh\npython (.*)\n```", PAGE)
    assert command is not None
    words = [sys.executable, *command[1].split()]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert re.search(r"license: .*GPL", printed)


def test_the_program_of_the_page_prints_its_columns() -> None:
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert program is not None
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", program[1]], capture_output=True, text=True, check=True
    ).stdout
    columns = {row.split(" | ")[0]: row.split(" | ")[1:] for row in printed.splitlines()}
    assert [len(columns[name]) for name in ("| av", "| numpy", "| onnxruntime")] == [3, 3, 3]
