"""docs/deployment.md: its containers are confined, and run what the program has."""

import shlex

import pytest

from tests.deploy.deployed import DEPLOY, KEYS, PAGE, check_words
from tests.test_repository import code_blocks

RUNS = [line for block in code_blocks("sh", PAGE) for line in block.splitlines() if "docker run" in line]
OF_THE_PROGRAM = [line for line in RUNS if "--entrypoint" not in line]
CONFINED = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"]


def words_of_the_program(line: str) -> list[str]:
    words = shlex.split(line)
    image = next(index for index, word in enumerate(words) if word.startswith("foal-edge"))
    return words[image + 1 :]


@pytest.mark.parametrize("line", OF_THE_PROGRAM)
def test_the_program_has_the_commands(line: str) -> None:
    check_words(words_of_the_program(line))


@pytest.mark.parametrize("line", [line for line in OF_THE_PROGRAM if " keys " not in line])
def test_a_container_that_predicts_may_no_more_than_it_needs(line: str) -> None:
    words = shlex.split(line)
    begin = words.index("--read-only")
    assert words[begin : begin + len(CONFINED)] == CONFINED


def test_files_that_are_named_are_there() -> None:
    assert {path.name for path in DEPLOY.iterdir()} == {
        "Containerfile",
        "Containerfile.jetson",
        "compose.yaml",
        "foal-edge.service",
        "kubernetes.yaml",
    }
    assert all(f"(../deploy/{path.name})" in PAGE for path in DEPLOY.iterdir())
    assert f"foal-edge keys {KEYS} --client desk --client health" in PAGE


def test_the_health_check_of_a_container_with_keys_is_a_command() -> None:
    (line,) = [line for line in RUNS if "--health-cmd" in line]
    words = shlex.split(line)
    program, *asked = shlex.split(words[words.index("--health-cmd") + 1])
    assert program == "foal-edge"
    check_words(asked)
