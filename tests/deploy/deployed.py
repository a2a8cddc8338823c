"""What the files of `deploy/` hold, read for the tests."""

import json
import re
from functools import cache
from typing import Any, NamedTuple

import yaml

from tests.test_repository import ROOT, foal_edge, parse

DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs/deployment.md").read_text()
USER = 10001
KEYS = "/etc/foal-edge-keys"


class Instruction(NamedTuple):
    """An instruction of a Containerfile."""

    name: str
    value: str

    @property
    def words(self) -> list[str]:
        """Words of its JSON form, which no shell splits."""
        return list(map(str, json.loads(self.value[self.value.index("[") :])))


def instructions(name: str) -> list[Instruction]:
    """Instructions of a Containerfile in their order, each on one line, without comments."""
    lines = [line for line in (DEPLOY / name).read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [Instruction(*line.split(None, 1)) for line in joined if line]


def last_stage(name: str) -> list[Instruction]:
    """Instructions of the stage that becomes the image."""
    found = instructions(name)
    begin = max(index for index, instruction in enumerate(found) if instruction.name == "FROM")
    return found[begin:]


@cache
def compose() -> dict[str, Any]:
    """Services of the compose file, with its anchors resolved."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"])


@cache
def kubernetes() -> dict[tuple[str, str], dict[str, Any]]:
    """Objects of the Kubernetes file, by kind and name."""
    objects = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {(found["kind"], found["metadata"]["name"]): found for found in objects}


def pods() -> dict[str, dict[str, Any]]:
    """Specification of each pod, by its deployment."""
    return {
        name: found["spec"]["template"]["spec"] for (kind, name), found in kubernetes().items() if kind == "Deployment"
    }


def check_words(words: list[str]) -> None:
    """Fail where the words after `foal-edge` are none that the program takes."""
    parse(foal_edge, [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])])
