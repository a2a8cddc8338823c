"""The metrics of a fleet, read over HTTP as Prometheus reads them."""

from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from edge.fleet.member import Member
from edge.fleet.metrics import fleet_metrics
from edge.fleet.naming import Head
from edge.service.prometheus import MetricsServer
from edge.wire.clock_offset import ClockOffset


def test_each_node_has_its_figures() -> None:
    member, silent = Member("lobby"), Member("gate")
    member.set_clock(ClockOffset(0, -2_000_000_000, 1))
    member.check_session("ab", 7.0)
    for seq in (0, 3):
        member.is_repeated(b"status.", Head("ab", seq, 0))
        member.count_forwarded(Head("ab", seq, 0), 4_000_000)
    member.refused["wrong_topic"] = 5
    states = [member.state(8.0), silent.state(8.0)]
    server = MetricsServer(0, lambda: fleet_metrics(states))
    try:
        with urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        server.close()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples == {
        ("foal_node_state", "lobby", "waiting"): 0,
        ("foal_node_state", "lobby", "online"): 1,
        ("foal_node_state", "lobby", "lost"): 0,
        ("foal_node_state", "gate", "waiting"): 1,
        ("foal_node_state", "gate", "online"): 0,
        ("foal_node_state", "gate", "lost"): 0,
        ("foal_node_received_total", "lobby"): 2,
        ("foal_node_received_total", "gate"): 0,
        ("foal_node_missed_total", "lobby"): 2,
        ("foal_node_missed_total", "gate"): 0,
        ("foal_node_refused_total", "lobby", "wrong_topic"): 5,
        ("foal_node_clock_offset_seconds", "lobby"): -2,
        ("foal_node_delay_seconds", "lobby"): 0.004,
        ("foal_node_silence_seconds", "lobby"): 1,
    }
