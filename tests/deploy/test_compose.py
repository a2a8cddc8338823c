"""The compose file: valid, confined, and its commands and addresses those of the program and of the page."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from edge.wire.addresses import AUTO, control_address
from tests.deploy.deployed import DEPLOY, KEYS, PAGE, check_words, compose, last_stage
from tests.deploy.test_systemd_unit import service


def option(words: list[str], name: str) -> str:
    (value,) = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    return value


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="check-jsonschema, which has the schema, is missing")
def test_it_is_what_the_compose_specification_allows() -> None:
    package = Path(str(find_spec("check_jsonschema").origin)).parent  # type: ignore[union-attr]
    schema = json.loads((package / "builtin_schemas/vendor/compose-spec.json").read_text())
    jsonschema.validate(yaml.safe_load((DEPLOY / "compose.yaml").read_text()), schema)


@pytest.mark.parametrize("name", compose())
def test_a_service_may_no_more_than_it_needs(name: str) -> None:
    found: dict[str, Any] = compose()[name]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "pid", "ipc"} & set(found)
    assert found["mem_limit"].upper() == service()["MemoryMax"]
    assert str(found["ulimits"]["nofile"]) == service()["LimitNOFILE"]
    assert found["stop_grace_period"] == f"{service()['TimeoutStopSec']}s"


@pytest.mark.parametrize("name", compose())
def test_the_program_has_the_commands(name: str) -> None:
    found = compose()[name]
    check_words(list(found["command"]))
    kind, program, *words = found["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "foal-edge")
    check_words(words)


def test_the_node_has_the_configuration_and_the_folders_that_the_image_and_the_page_name() -> None:
    node = compose()["node"]
    targets = [volume.split(":")[1] for volume in node["volumes"]]
    words = node["command"]
    assert words[words.index("--config") + 1] in targets
    image = {one.name: one.value for one in last_stage("Containerfile")}
    assert {image["WORKDIR"], re.findall(r"XDG_CACHE_HOME=(\S+)", image["ENV"])[0]} <= set(targets)
    assert all(volume.split(":")[0] in PAGE for volume in node["volumes"] if volume.startswith("/"))


def test_the_proxy_takes_the_node_from_loopback_and_asks_itself_with_keys() -> None:
    proxy = compose()["proxy"]
    assert option(proxy["command"], "--from").endswith("=tcp://127.0.0.1:5556")
    bind = option(proxy["command"], "--bind")
    asked = option(proxy["healthcheck"]["test"], "--control")
    assert asked == control_address(bind.replace("*", "127.0.0.1"), AUTO)
    assert option(proxy["command"], "--keys") == KEYS
    assert option(proxy["healthcheck"]["test"], "--keys") == f"{KEYS}/hand-out/health"
    assert proxy["volumes"] == [f"{KEYS}:{KEYS}:ro"]
    assert f"{KEYS} --client desk --client health" in PAGE
    assert bind.rpartition(":")[2] in PAGE
