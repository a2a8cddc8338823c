"""docs/operating.md says what is so: its configuration loads, its rules name metrics that exist."""

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from edge import errors
from edge.cli.main import FORCED_STATUS
from edge.service import http_server
from edge.service.prometheus import MetricsEndpoint
from edge.session.config import load_config
from edge.wire import control_server, guard, publisher, publishing_socket, sockets
from edge.wire.addresses import AUTO
from edge.wire.drop_reasons import DROP_REASONS
from edge.wire.messages import Message
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS

PAGE = (Path(__file__).parent.parent / "docs/operating.md").read_text()
MESSAGES: list[Message] = [
    msgspec.structs.replace(PREDICTION, dropped=dict.fromkeys(DROP_REASONS, 0)),
    EVENT,
    STATUS,
    msgspec.structs.replace(STATS, queues={"frames": 0}),
]


def block(language: str, beginning: str) -> str:
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if text.startswith(beginning)]
    assert len(found) == 1
    return str(found[0])


@pytest.fixture(scope="module")
def series() -> dict[str, list[dict[str, str]]]:
    """Every metric's name -> the labels of its samples."""
    metrics_endpoint = MetricsEndpoint(0)
    for message in MESSAGES:
        metrics_endpoint.observe(message)
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_endpoint.port}", timeout=60) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    metrics_endpoint.close()
    found: dict[str, list[dict[str, str]]] = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, []).append(sample.labels)
    return found


def test_the_configuration_loads_as_it_is_printed(tmp_path) -> None:
    (tmp_path / "foal-edge.yaml").write_text(block("yaml", "streams:"))
    config = load_config(tmp_path / "foal-edge.yaml", {})
    assert [(stream.name, stream.wants_video, stream.wants_audio) for stream in config.streams] == [
        ("lobby", True, True),
        ("door", True, False),
    ]
    assert (config.hop_s, config.control, config.streams[0].av_offset_ms) == (AUTO, AUTO, -40)


def test_the_keys_it_names_are_all_there_are() -> None:
    named = set(re.findall(r"^(?:  - |    )?(\w+):", block("yaml", "streams:"), re.MULTILINE))
    further = re.search(r"explains each:(.*?)\.\n", PAGE, re.DOTALL)
    assert further is not None
    named |= set(re.findall(r"`(\w+)`", further[1])) - {"events"}
    fields = {*load_config(None, {}).__struct_fields__, *load_config(None, {}).streams[0].__struct_fields__}
    assert fields - {"events"} - named == {"fast"}  # that is for recordings alone


def test_the_table_of_exit_statuses_is_whole() -> None:
    listed = {int(status) for status in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    kinds = [errors.FoalError, *errors.FoalError.__subclasses__()]
    of_the_runtime = {kind.exit_status for kind in kinds if kind.__module__.startswith("edge.")}
    assert listed == {0, FORCED_STATUS, *of_the_runtime}


def test_the_table_of_limits_of_unauthenticated_clients_is_what_the_ports_put_up_with() -> None:
    table = re.search(r"^\| \| publishing .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert table is not None
    rows = [re.findall(r"\d+", line) for line in table[0].splitlines()[2:] if line]
    limits, asked = publishing_socket.LIMITS, control_server.LIMITS
    assert [[int(number) for number in row] for row in rows] == [
        [limits.connections, asked.connections],
        [publishing_socket.MAX_FRAME_BYTES, control_server.MAX_REQUEST_BYTES],
        [limits.burst_bytes, limits.rate_bytes_s, asked.burst_bytes],
        [guard.HANDSHAKE_TIMEOUT_MS // 1000] * 2,
        [publisher.SEND_HIGH_WATER_MARK, control_server.HIGH_WATER_MARK],
    ]
    assert f"longer than {sockets.MAX_TOPIC_BYTES} bytes" in PAGE
    assert f"It serves {http_server.MAX_CONCURRENT_REQUESTS} requests" in PAGE
    assert f"each has {http_server.REQUEST_TIMEOUT_S} s" in PAGE
    assert f"grow by {guard.MAX_MEMORY_GROWTH_BYTES >> 20} MiB" in PAGE


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(block("yaml", "groups:"))["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_looks_at_series_that_there_are(rule: dict[str, Any], series) -> None:
    for name, selectors in re.findall(r"\b(foal_\w+|up)(?:\{(.*?)\})?", rule["expr"]):
        if name == "up":
            assert selectors == 'job="foal-edge"'
            continue
        for label, operator, value in re.findall(r'(\w+)(=~?)"(.*?)"', selectors):
            values = {labels[label] for labels in series[name]}
            for pattern in value.split("|") if operator == "=~" else [re.escape(value)]:
                assert any(re.fullmatch(pattern, found) for found in values), f"{name} has {label} {values}"
    assert {"alert", "expr", "for", "annotations"} == set(rule)


def test_a_reason_is_asked_for_by_one_rule_but_for_those_that_the_page_leaves_out() -> None:
    patterns = [found for rule in rules() for found in re.findall(r'reason=~"(.*?)"', rule["expr"])]
    asked = [reason for reason in DROP_REASONS for pattern in patterns if re.fullmatch(pattern, reason)]
    assert sorted([*asked, "windows_empty", "windows_stale", "frames_stale", "messages_stale"]) == sorted(DROP_REASONS)


def test_the_scraped_job_is_the_one_that_rules_ask_for_at_the_configured_port() -> None:
    (job,) = yaml.safe_load(block("yaml", "scrape_configs:"))["scrape_configs"]
    port = yaml.safe_load(block("yaml", "streams:"))["metrics_port"]
    assert (job["job_name"], job["static_configs"][0]["targets"]) == ("foal-edge", [f"127.0.0.1:{port}"])


def test_the_table_of_metrics_is_the_page(series) -> None:
    listed = {
        name: set(labels.split(", ")) - {""}
        for name, labels in re.findall(r"^\| `(foal_\w+)` \| (.*?) ?\|", PAGE, re.MULTILINE)
    }
    served = {
        name.removesuffix("_count"): set(labels[0])
        for name, labels in series.items()
        if not name.endswith(("_bucket", "_sum"))
    }
    assert listed == served


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_accepts_the_rules(tmp_path) -> None:
    (tmp_path / "rules.yml").write_text(block("yaml", "groups:"))
    (tmp_path / "prometheus.yml").write_text('rule_files: ["rules.yml"]\n' + block("yaml", "scrape_configs:"))
    checked = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "5 rules found" in checked.stdout
