"""The Kubernetes file: its commands are the program's, its parts fit, its pods may no more than they need."""

import re
import shutil
import subprocess
from typing import Any

import pytest

from edge.session.config import load_config
from edge.wire.addresses import AUTO, control_address
from edge.wire.keys import load_client_keys, load_server_keys, make_client_keys, make_server_keys
from tests.deploy.deployed import DEPLOY, KEYS, PAGE, USER, check_words, kubernetes, pods


def container(name: str) -> dict[str, Any]:
    (found,) = pods()[name]["containers"]
    return dict(found)


def configuration() -> str:
    return str(kubernetes()["ConfigMap", "node"]["data"]["foal-edge.yaml"])


def files(name: str, volume: str) -> dict[str, str]:
    """Path in a volume -> key of the secret."""
    (found,) = [one["secret"] for one in pods()[name]["volumes"] if one["name"] == volume]
    return {item["path"]: item["key"] for item in found["items"]}


def test_all_is_in_one_namespace() -> None:
    (space,) = [name for kind, name in kubernetes() if kind == "Namespace"]
    named = {found["metadata"].get("namespace") for (kind, _), found in kubernetes().items() if kind != "Namespace"}
    assert named == {space}


def test_the_configuration_loads(tmp_path) -> None:
    (tmp_path / "foal-edge.yaml").write_text(configuration())
    config = load_config(tmp_path / "foal-edge.yaml", {})
    assert all(str(stream.camera).startswith("rtsp://") and not stream.wants_audio for stream in config.streams)
    assert (config.bind, config.keys) == ("tcp://*:5556", KEYS)
    (tmp_path / "foal-edge.yaml").write_text(configuration().replace("# backend", "backend"))
    assert load_config(tmp_path / "foal-edge.yaml", {}).backend.startswith("tritons://")


@pytest.mark.parametrize("name", pods())
def test_a_pod_may_no_more_than_it_needs(name: str) -> None:
    outer, inner = pods()[name]["securityContext"], container(name)["securityContext"]
    assert outer["runAsNonRoot"] is True
    assert {outer["runAsUser"], outer["runAsGroup"], outer["fsGroup"]} == {USER}
    assert outer["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inner == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pods()[name]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", pods())
def test_the_program_has_the_commands(name: str) -> None:
    check_words(list(container(name)["args"]))
    for probe in ("startupProbe", "livenessProbe"):
        program, *words = container(name)[probe]["exec"]["command"]
        assert program == "foal-edge"
        check_words(words)


@pytest.mark.parametrize("name", pods())
def test_ports_are_those_of_the_program_of_the_service_and_of_the_policy(name: str) -> None:
    ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
    assert control_address(f"tcp://127.0.0.1:{ports['messages']}", AUTO) == f"tcp://127.0.0.1:{ports['control']}"
    offered = kubernetes()["Service", name]["spec"]
    assert {port["name"]: port["port"] for port in offered["ports"]} == ports
    assert offered["selector"] == kubernetes()["Deployment", name]["spec"]["template"]["metadata"]["labels"]
    policy = kubernetes()["NetworkPolicy", name]["spec"]
    assert policy["podSelector"]["matchLabels"] == offered["selector"]
    (ingress,) = policy["ingress"]
    assert {port["port"] for port in ingress["ports"]} == set(ports.values())


@pytest.mark.parametrize("name", pods())
def test_volumes_that_are_mounted_are_there(name: str) -> None:
    mounted = {mount["name"] for mount in container(name)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pods()[name]["volumes"]}
    words = " ".join(container(name)["args"])
    paths = [mount["mountPath"] for mount in container(name)["volumeMounts"]]
    assert [path for path in re.findall(r"/etc/[\w-]+", words) if path not in paths] == []


def test_the_keys_that_the_page_makes_are_read_where_they_are_mounted(tmp_path) -> None:
    node, proxy = tmp_path / "node", tmp_path / "proxy"
    for folder, clients in ((node, ("proxy", "health")), (proxy, ("desk", "health"))):
        make_server_keys(folder)
        for client in clients:
            make_client_keys(folder, client)
        assert f"foal-edge keys {folder.name} --client {clients[0]} --client {clients[1]}" in PAGE
    for name, volume in (("node", "keys"), ("proxy", "keys"), ("proxy", "node")):
        secret = {}
        for words in re.findall(rf"create secret generic {name}-keys((?: \\\n|.)*)", PAGE):
            for given in re.findall(r"--from-file=(\S+)", words):
                key, _, path = given.rpartition("=")
                found = tmp_path / path
                secret |= {key or one.name: one for one in ([found] if found.is_file() else found.iterdir())}
        room = tmp_path / f"{name}-{volume}"
        for path, key in files(name, volume).items():
            (room / path).parent.mkdir(parents=True, exist_ok=True)
            (room / path).write_bytes(secret[key].read_bytes())
            (room / path).chmod(0o400)
        if volume == "keys":
            assert load_client_keys(room / "hand-out/health").server == load_server_keys(room).public
        else:
            assert load_client_keys(room).server == load_server_keys(node).public


@pytest.mark.skipif(shutil.which("kubernetes-validate") is None, reason="kubernetes-validate is not installed")
def test_it_is_what_kubernetes_allows() -> None:
    command = ["kubernetes-validate", "--strict", DEPLOY / "kubernetes.yaml"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
