"""The unit: it parses, starts the program with options that it has, and may no more than it needs."""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest

from edge import errors
from edge.cli.main import main
from edge.wire import control_server, publishing_socket
from tests.deploy.deployed import DEPLOY

UNIT = DEPLOY / "foal-edge.service"


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    return parser


def service() -> configparser.SectionProxy:
    return unit()["Service"]


def test_the_unit_starts_the_program_with_options_that_it_has() -> None:
    command = shlex.split(service()["ExecStart"])
    assert unit().sections() == ["Unit", "Service", "Install"]
    assert command[0] == "/opt/foal-edge/bin/foal-edge"
    context = main.make_context("foal-edge", command[1:], resilient_parsing=True)
    assert (context.params["log_format"], context.params["quiet"]) == ("json", True)
    assert str(context.params["config_file"]) == "/etc/foal-edge.yaml"


def test_the_unit_is_watched_and_not_started_again_where_that_is_of_no_use() -> None:
    assert service()["Type"] == "notify"
    assert int(service()["WatchdogSec"]) > 2
    statuses = {errors.UsageError.exit_status, errors.BundleError.exit_status}
    assert {int(status) for status in service()["RestartPreventExitStatus"].split()} == statuses


def test_descriptors_enough_for_all_who_may_connect_and_to_spare() -> None:
    connections = publishing_socket.LIMITS.connections + control_server.LIMITS.connections
    assert int(service()["LimitNOFILE"]) > 4 * connections


def test_there_is_one_unit() -> None:
    pages = (DEPLOY.parent / "docs").glob("*.md")
    assert [page.name for page in pages if re.search(r"^\[Service\]$", page.read_text(), re.MULTILINE)] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path) -> None:
    program = tmp_path / "foal-edge"  # systemd looks for what it starts
    program.symlink_to(shutil.which("true") or "")
    text = UNIT.read_text().replace(shlex.split(service()["ExecStart"])[0], str(program))
    (tmp_path / UNIT.name).write_text(text)
    checked = subprocess.run(["systemd-analyze", "verify", tmp_path / UNIT.name], capture_output=True, text=True)
    said = [line for line in checked.stderr.splitlines() if UNIT.name in line or "foal" in line]
    assert (checked.returncode, said) == (0, [])
