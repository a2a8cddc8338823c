"""The metrics page, scraped over HTTP and read by Prometheus's own parser."""

import math
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge.errors import PublishError
from edge.service import prometheus
from edge.service.prometheus import MetricsEndpoint
from edge.wire.evidence import AudioEvidence, Latency, VideoEvidence
from edge.wire.messages import Prediction, Stats, Status, SteadyState
from tests.edge.made_messages import PERSON

WAIT_S = 60
PREDICTION = Prediction(
    1, "s1", "cam1", 0, 0, 1_700_000_000_500_000_000, 0, 0, 0, 0, "glad", ["calm", "glad"], [0.25, 0.75], 0.75, None,
    AudioEvidence("ok", -20.0, 0.5), VideoEvidence("ok", 1, None, 30), Latency(4.0, 0.5, 60.0, 5000.0),
    {"windows_late": 2, "messages_queue": 1, "messages_stale": 0}, "tiny 0.1", "numpy",
)  # fmt: skip
EVENT = SteadyState(1, "s1", "cam1", 0, 0, 0, 0, 0, "uncertain", None, ["calm", "glad"], [0.5, 0.5], 0.5)
STATUS = Status(1, "s1", "cam1", 0, 0, 0, "degraded", "lost", "no_face", 0.75, {"windows_late": 3, "messages_queue": 1})
STATS = Stats(
    1, "s1", 0, 0, 0, 61.5, 0.5, 0.25, 9, {"frames": 3, "blocks": 0}, {"windows_late": 7, "messages_queue": 4}
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def page() -> Iterator[MetricsEndpoint]:
    page = MetricsEndpoint(0)
    yield page
    page.close()


def fetch(page: MetricsEndpoint) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{page.port}/metrics", timeout=WAIT_S) as answer:
        return str(answer.read().decode())


def scrape(page: MetricsEndpoint) -> Samples:
    samples = [sample for family in text_string_to_metric_families(fetch(page)) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def named(samples: Samples, name: str) -> Samples:
    return {key: value for key, value in samples.items() if key[0] == name}


def changed(message: msgspec.Struct, **fields: object) -> object:
    return msgspec.structs.replace(message, **fields)


def test_a_page_of_nothing_has_no_sample(page) -> None:
    assert scrape(page) == {}


def test_predictions_are_counted_by_label_from_zero_on(page) -> None:
    for label in ("glad", "glad", "calm"):
        page.observe(changed(PREDICTION, label=label))
    page.observe(changed(PREDICTION, stream="cam2"))
    samples = scrape(page)
    assert value(samples, "foal_predictions_total", stream="cam1", label="glad") == 2
    assert value(samples, "foal_predictions_total", stream="cam1", label="calm") == 1
    assert value(samples, "foal_predictions_total", stream="cam2", label="glad") == 1
    assert value(samples, "foal_predictions_total", stream="cam2", label="calm") == 0
    assert value(samples, "foal_predictions_total", stream="cam2", label="uncertain") == 0


def test_stages_fall_into_buckets_of_seconds(page) -> None:
    page.observe(PREDICTION)
    page.observe(changed(PREDICTION, latency_ms=Latency(30.0, 1.0, 61.0, 8.0)))
    samples = scrape(page)
    stage = {"stream": "cam1", "stage": "encode_video"}
    assert value(samples, "foal_stage_seconds_count", **stage) == 2
    assert value(samples, "foal_stage_seconds_sum", **stage) == pytest.approx(0.034)
    for edge, below in [("0.003", 0), ("0.005", 1), ("0.02", 1), ("0.03", 2), ("2.0", 2), ("+Inf", 2)]:
        assert value(samples, "foal_stage_seconds_bucket", **stage, le=edge) == below
    assert value(samples, "foal_stage_seconds_bucket", stream="cam1", stage="total", le="2.0") == 1
    assert value(samples, "foal_stage_seconds_sum", stream="cam1", stage="fuse") == pytest.approx(0.121)


def test_a_latency_below_zero_does_not_lower_the_sum(page) -> None:
    page.observe(PREDICTION)
    page.observe(changed(PREDICTION, latency_ms=Latency(0, 0, 0, -3.0)))
    samples = scrape(page)
    assert value(samples, "foal_stage_seconds_sum", stream="cam1", stage="total") == 5
    assert value(samples, "foal_stage_seconds_count", stream="cam1", stage="total") == 2


def test_events_are_counted_uncertain_among_them(page) -> None:
    for message in (EVENT, changed(EVENT, label="glad"), EVENT):
        page.observe(message)
    samples = scrape(page)
    counts = {label: value(samples, "foal_events_total", stream="cam1", label=label) for label in EVENT.labels}
    assert counts == {"calm": 0, "glad": 1}
    assert value(samples, "foal_events_total", stream="cam1", label="uncertain") == 2


def test_what_was_dropped_is_the_highest_told_and_messages_are_of_all_streams(page) -> None:
    page.observe(STATUS)
    page.observe(PREDICTION)
    page.observe(msgspec.structs.replace(STATUS, stream="cam2", dropped={"messages_queue": 1, "messages_stale": 2}))
    samples = scrape(page)
    assert named(samples, "foal_dropped_total") == {
        ("foal_dropped_total", frozenset({("stream", "cam1"), ("reason", "windows_late")})): 3,
        ("foal_dropped_total", frozenset({("stream", ""), ("reason", "messages_queue")})): 1,
        ("foal_dropped_total", frozenset({("stream", ""), ("reason", "messages_stale")})): 2,
    }
    page.observe(STATS)
    samples = scrape(page)
    assert value(samples, "foal_dropped_total", stream="", reason="messages_queue") == 4
    assert value(samples, "foal_dropped_total", stream="cam1", reason="windows_late") == 3


def test_of_a_devices_states_one_is_set(page) -> None:
    page.observe(changed(STATUS, audio="ok", state="online"))
    page.observe(STATUS)
    samples = scrape(page)
    audio = {s: value(samples, "foal_device_state", stream="cam1", device="audio", state=s)
             for s in ("ok", "silent", "clipping", "lost", "off")}  # fmt: skip
    video = {s: value(samples, "foal_device_state", stream="cam1", device="video", state=s)
             for s in ("ok", "no_face", "dark", "lost", "off")}  # fmt: skip
    stream = {s: value(samples, "foal_stream_state", stream="cam1", state=s)
              for s in ("online", "degraded", "lost", "stopped")}  # fmt: skip
    assert audio == {"ok": 0, "silent": 0, "clipping": 0, "lost": 1, "off": 0}
    assert video == {"ok": 0, "no_face": 1, "dark": 0, "lost": 0, "off": 0}
    assert stream == {"online": 0, "degraded": 1, "lost": 0, "stopped": 0}


def test_people_are_counted_and_none_has_a_series(page) -> None:
    there = msgspec.structs.replace(STATUS, people=[1, 12], came=[1, 12])
    for message in (STATUS, there, msgspec.structs.replace(there, came=[13], left=[1], people=[12, 13])):
        page.observe(message)
    page.observe(msgspec.structs.replace(PERSON, session=STATUS.session, person=12))
    samples = scrape(page)
    assert value(samples, "foal_people", stream="cam1") == 2
    assert value(samples, "foal_people_came_total", stream="cam1") == 3
    assert not [labels for _, labels in samples if ("person", "12") in labels]
    assert not named(samples, "foal_predictions_total")


def test_the_runtime_is_gauged(page) -> None:
    for message in (PREDICTION, STATUS, STATS):
        page.observe(message)
    samples = scrape(page)
    assert value(samples, "foal_hop_seconds", stream="cam1") == 0.75
    assert value(samples, "foal_uptime_seconds") == 61.5
    assert value(samples, "foal_busy_ratio") == 0.25
    assert value(samples, "foal_queue_length", queue="frames") == 3
    assert value(samples, "foal_queue_length", queue="blocks") == 0
    assert value(samples, "foal_confidence_ratio", stream="cam1") == 0.75
    assert value(samples, "foal_last_window_end_timestamp_seconds", stream="cam1") == 1_700_000_000.5
    version = prometheus.program_version()
    assert value(samples, "foal_build_info", version=version, bundle="tiny 0.1", backend="numpy") == 1


def test_what_runs_from_its_source_says_so(page, monkeypatch) -> None:
    monkeypatch.setattr("edge.system.versions.DISTRIBUTION", "never-installed")
    page.observe(PREDICTION)
    assert value(scrape(page), "foal_build_info", version="source", bundle="tiny 0.1", backend="numpy") == 1


def test_a_new_session_begins_at_zero_without_the_old_ones_streams(page) -> None:
    for message in (PREDICTION, STATUS, STATS, EVENT):
        page.observe(message)
    page.observe(changed(PREDICTION, session="s2", stream="cam9", dropped={"windows_late": 0}))
    samples = scrape(page)
    assert {labels["stream"] for _, pairs in samples if "stream" in (labels := dict(pairs))} == {"cam9"}
    assert value(samples, "foal_predictions_total", stream="cam9", label="glad") == 1
    assert value(samples, "foal_dropped_total", stream="cam9", reason="windows_late") == 0
    assert named(samples, "foal_uptime_seconds") == {}


def test_counters_never_fall_and_series_do_not_multiply(page) -> None:
    seen: list[Samples] = []
    for number in range(300):
        page.observe(
            changed(PREDICTION, seq=number, label=["calm", "glad"][number % 2], dropped={"windows_late": number})
        )
        page.observe(changed(STATUS, seq=number, dropped={"windows_late": number // 2}))
        if number % 100 == 99:
            seen.append(scrape(page))
    assert seen[0].keys() == seen[1].keys() == seen[2].keys()
    for name, labels in seen[0]:
        if name.endswith(("_total", "_count", "_sum", "_bucket")):
            values = [samples[name, labels] for samples in seen]
            assert values == sorted(values)
    assert value(seen[2], "foal_predictions_total", stream="cam1", label="calm") == 150
    assert len(seen[0]) < 150


def test_messages_and_scrapes_at_once_lose_nothing(page) -> None:
    done = threading.Event()

    def feed() -> None:
        for number in range(2000):
            page.observe(changed(PREDICTION, stream=f"cam{number % 8}"))
            page.observe(changed(STATUS, stream=f"cam{number % 8}"))
        done.set()

    feeder = threading.Thread(target=feed)
    feeder.start()
    scraped = 0
    while not done.is_set():
        scrape(page)
        scraped += 1
    feeder.join()
    samples = scrape(page)
    assert scraped > 0
    assert sum(value(samples, "foal_predictions_total", stream=f"cam{n}", label="glad") for n in range(8)) == 2000


def test_odd_values_are_shown_as_they_are(page) -> None:
    page.observe(changed(PREDICTION, confidence=math.nan, bundle='a "b"\n\\c', dropped={}, labels=[], probs=[]))
    samples = scrape(page)
    assert math.isnan(value(samples, "foal_confidence_ratio", stream="cam1"))
    assert {dict(labels)["bundle"] for name, labels in samples if name == "foal_build_info"} == {'a "b"\n\\c'}


@pytest.mark.parametrize("port", [70000, -1])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(PublishError, match=f"port {port}.*--metrics-port"):
        MetricsEndpoint(port)


def test_a_busy_port_is_named_with_a_remedy(page) -> None:
    with pytest.raises(PublishError) as refused:
        MetricsEndpoint(page.port)
    assert str(refused.value).startswith(f"cannot serve metrics at 127.0.0.1 port {page.port}: Address already in use")
    assert "--metrics-port" in str(refused.value)


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(PublishError, match=r"at 192\.0\.2\.1 port 0"):
        MetricsEndpoint(0, "192.0.2.1")


def test_it_listens_on_loopback_alone(page) -> None:
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", page.port))


def test_a_closed_page_leaves_neither_port_nor_thread() -> None:
    before = threading.enumerate()
    first = MetricsEndpoint(0)
    scrape(first)
    first.close()
    again = MetricsEndpoint(first.port)
    again.close()
    assert not [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    with pytest.raises(OSError, match="refused"):
        fetch(first)


def test_a_scraper_that_hangs_up_or_says_nothing_leaves_no_traceback(page, monkeypatch, capfd) -> None:
    assert 0 < prometheus.RequestHandler.timeout <= 10
    monkeypatch.setattr(prometheus.RequestHandler, "timeout", 0.05)
    with socket.create_connection(("127.0.0.1", page.port)) as silent:
        assert silent.recv(1) == b""
    with socket.create_connection(("127.0.0.1", page.port)) as rude:
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert scrape(page) == {}
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_finds_nothing_to_mend(page) -> None:
    for message in (PREDICTION, STATUS, STATS, EVENT):
        page.observe(message)
    checked = subprocess.run(["promtool", "check", "metrics"], input=fetch(page), capture_output=True, text=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
