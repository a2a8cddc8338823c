"""The MQTT bridge, against a real mosquitto that comes, goes and stands still."""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

paho = pytest.importorskip("paho.mqtt.client", reason="pip install 'foal-edge[mqtt]'")
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
if MOSQUITTO is None:
    pytest.skip("no mosquitto here (apt-get install mosquitto)", allow_module_level=True)

from paho.mqtt.enums import CallbackAPIVersion  # noqa: E402

from edge.bridges import mqtt  # noqa: E402
from edge.bridges.mqtt import MAX_UNCONFIRMED, Broker, MqttBridge  # noqa: E402
from edge.errors import PublishError  # noqa: E402
from edge.wire.messages import Node, encode  # noqa: E402
from tests.edge.made_messages import EVENT, PERSON, PREDICTION, STATS, STATUS, numbered  # noqa: E402


class Mosquitto:
    """A broker on a port of its own, that can be started, killed and made to stand still."""

    def __init__(self, folder: Path, *settings: str) -> None:
        with socket.socket() as any_socket:
            any_socket.bind(("127.0.0.1", 0))
            self.port = any_socket.getsockname()[1]
        self._file = folder / "mosquitto.conf"
        self._file.write_text(
            "\n".join([f"listener {self.port} 127.0.0.1", "user root", *(settings or ("allow_anonymous true",))])
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = subprocess.DEVNULL
        self.process = subprocess.Popen([str(MOSQUITTO), "-c", str(self._file)], stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def address(self) -> Broker:
        return Broker("127.0.0.1", self.port)


class Listener:
    """A client that subscribes to everything, and keeps what comes."""

    def __init__(self, port: int) -> None:
        self.got: list[tuple[str, str, bool]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: self.got.append(("subscribed", "", False))
        self.client.on_message = lambda _client, _data, message: self.got.append(
            (message.topic, message.payload.decode(), message.retain)
        )
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def has(self, topic: str, payload: str | None = None, *, retained: bool | None = None) -> bool:
        return any(
            got[0] == topic and payload in (None, got[1]) and retained in (None, got[2]) for got in list(self.got)
        )

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch) -> None:
    monkeypatch.setattr(mqtt, "FIRST_RETRY_S", 1)
    monkeypatch.setattr(mqtt, "LONGEST_RETRY_S", 1)


@pytest.fixture
def broker(tmp_path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def listen(broker, eventually) -> Iterator[object]:
    opened = []

    def make() -> Listener:
        opened.append(Listener(broker.port))
        eventually(lambda: opened[-1].has("subscribed"), "the listener has subscribed")
        return opened[-1]

    yield make
    for listener in opened:
        listener.close()


def connected(bridge: MqttBridge) -> bool:
    return bridge._connected


def json_of(message: object) -> str:
    return encode(message, "json").decode()


def test_messages_come_as_json_retained_where_they_hold_and_availability_ends(
    broker, listen, publisher, running, eventually
) -> None:
    listener = listen()
    bridge = MqttBridge(broker.address, "foal-edge", announces=False)
    eventually(lambda: connected(bridge), "connected")
    with running(bridge):
        for message in (PREDICTION, EVENT, STATUS, STATS):
            publisher.publish(message)
        eventually(lambda: listener.has("foal-edge/stats", json_of(STATS)), "the last message came")
        late = listen()
        eventually(lambda: late.has("foal-edge/cam1/status"), "a retained message came")
    eventually(lambda: listener.got[-1][:2] == ("foal-edge/availability", "offline"), "the bridge said it ended")
    expected = {
        "foal-edge/cam1/emotion": json_of(PREDICTION),
        "foal-edge/cam1/event": json_of(EVENT),
        "foal-edge/cam1/status": json_of(STATUS),
        "foal-edge/stats": json_of(STATS),
    }
    assert {topic: payload for topic, payload, _ in listener.got if topic in expected} == expected
    assert [p for topic, p, _ in listener.got if topic == "foal-edge/availability"][-2:] == ["online", "offline"]
    kept = {topic for topic, _, retained in late.got if retained}
    assert kept == {"foal-edge/availability", "foal-edge/cam1/event", "foal-edge/cam1/status"}
    assert bridge.dropped.total() == 0


def test_nodes_behind_a_proxy_have_topics_of_their_own(broker, listen, publisher, running, eventually) -> None:
    listener, node = listen(), Node("lobby", "p", 0, 0, 1)
    bridge = MqttBridge(broker.address, "foal-edge", announces=False)
    eventually(lambda: connected(bridge), "connected")
    with running(bridge):
        publisher.publish(numbered(0, PREDICTION, stream="lobby/cam1", node=node))
        publisher.publish(numbered(0, STATS, node=node))
        status = numbered(0, stream="lobby/cam1", node=node)
        publisher.publish(status)
        eventually(lambda: listener.has("foal-edge/lobby_cam1/status", json_of(status)), "the last message came")
        bridge.node_lost("gate")
        bridge.node_lost("lobby")
        lost = json_of(msgspec.structs.replace(status, state="lost"))
        eventually(lambda: listener.has("foal-edge/lobby_cam1/status", lost), "its stream is lost")
    assert listener.has("foal-edge/lobby/stats")
    assert listener.has("foal-edge/lobby_cam1/emotion")


def test_a_bridge_that_is_killed_is_offline_by_its_last_will(broker, listen, eventually) -> None:
    listener = listen()
    bridge = MqttBridge(broker.address, "room", announces=False)
    eventually(lambda: connected(bridge), "connected")
    bridge.publisher_back()
    eventually(lambda: listener.has("room/availability", "online"), "online")
    listener.got.clear()
    bridge._client.socket().shutdown(socket.SHUT_RDWR)  # as the system does for a process that is killed
    eventually(lambda: listener.has("room/availability", "offline"), "the last will came")
    eventually(lambda: listener.has("room/availability", "online"), "and it is back by itself")
    bridge.close()


def test_a_publisher_that_is_lost_is_unavailable(broker, listen, eventually) -> None:
    listener = listen()
    bridge = MqttBridge(broker.address, "room", announces=False)
    eventually(lambda: connected(bridge), "connected")
    bridge.publisher_back()
    bridge.publisher_lost()
    eventually(lambda: listener.got[-2:-1] and listener.got[-1][:2] == ("room/availability", "offline"), "offline")
    bridge.close()


def test_a_broker_that_comes_late_gets_what_holds_and_the_rest_is_counted(broker, listen, eventually, caplog) -> None:
    caplog.set_level(logging.INFO)
    broker.kill()
    bridge = MqttBridge(broker.address, "foal-edge", announces=True)
    said = "Connection refused; is a broker running there? Trying again, at most every 1 s"
    eventually(lambda: said in caplog.text, "it says why it waits")
    bridge.publisher_back()
    for seq in range(3):
        bridge.send(numbered(seq, PREDICTION))
        bridge.send(numbered(seq, EVENT))
    assert bridge.dropped == {"disconnected": 3 + 2}, "three predictions, and two events that a later one replaces"
    broker.start()
    eventually(lambda: connected(bridge), "connected")
    listener = listen()
    eventually(lambda: listener.has("foal-edge/cam1/event", json_of(numbered(2, EVENT))), "the last event came")
    eventually(lambda: listener.has("foal-edge/availability", "online"), "it is available")
    eventually(lambda: listener.has("homeassistant/sensor/foal-edge-cam1/emotion/config"), "it is announced")
    bridge.close()


def test_a_broker_that_is_killed_is_said_and_found_again(broker, listen, eventually, caplog) -> None:
    caplog.set_level(logging.INFO)
    bridge = MqttBridge(broker.address, "foal-edge", announces=False)
    eventually(lambda: connected(bridge), "connected")
    bridge.send(EVENT)
    broker.kill()
    eventually(lambda: not connected(bridge), "the loss is noticed")
    assert f"lost mqtt://127.0.0.1:{broker.port}" in caplog.text
    broker.start()
    eventually(lambda: connected(bridge), "connected again")
    listener = listen()
    eventually(lambda: listener.has("foal-edge/cam1/event", json_of(EVENT)), "what holds is there again")
    bridge.close()


def test_a_broker_that_stands_still_fills_no_memory_and_what_is_lost_is_counted(
    broker, listen, eventually, monkeypatch
) -> None:
    monkeypatch.setattr(mqtt, "KEEPALIVE_S", 3)
    bridge = MqttBridge(broker.address, "foal-edge", announces=False)
    eventually(lambda: connected(bridge), "connected")
    eventually(lambda: bridge._forget_confirmed() or not bridge._on_the_way, "what it says first is confirmed")
    broker.process.send_signal(signal.SIGSTOP)
    for seq in range(3 * MAX_UNCONFIRMED):  # confirmed by the broker, which it cannot
        bridge.send(numbered(seq, EVENT))
    assert len(bridge._on_the_way) == MAX_UNCONFIRMED
    assert bridge.dropped == {"broker_slow": 2 * MAX_UNCONFIRMED - 1}, "the last one waits"
    eventually(lambda: not connected(bridge), "the silence is noticed")
    broker.process.send_signal(signal.SIGCONT)
    eventually(lambda: connected(bridge), "connected again")
    listener = listen()
    last = json_of(numbered(3 * MAX_UNCONFIRMED - 1, EVENT))
    eventually(lambda: bridge.check() or listener.has("foal-edge/cam1/event", last), "the last one holds")
    bridge.close()


def test_predictions_that_the_end_of_a_connection_swallowed_are_counted(broker, eventually) -> None:
    bridge = MqttBridge(broker.address, "foal-edge", announces=False)
    eventually(lambda: connected(bridge), "connected")
    broker.kill()
    sent = 0
    while connected(bridge):
        bridge.send(numbered(sent, PREDICTION))
        sent += 1
    for _ in range(2):
        bridge.send(numbered(sent, PREDICTION))
    assert bridge.dropped["disconnected"] in (2, 3), "the last of the loop may have met the end already"
    broker.start()
    eventually(lambda: connected(bridge), "connected again")
    eventually(lambda: bridge.send(STATS) or not bridge._on_the_way or bridge._on_the_way[0][0].is_published(), "sent")
    bridge.close()


def test_a_broker_that_wants_a_password_is_an_error(tmp_path, eventually) -> None:
    (tmp_path / "passwords").write_text("")
    guarded = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {tmp_path}/passwords")
    guarded.start()
    bridge = MqttBridge(guarded.address, "foal-edge", announces=False)
    eventually(lambda: bridge._refusal, "the refusal came")
    with pytest.raises(PublishError, match=r"refuses the bridge: Not authorized; give the user in --broker"):
        bridge.check()
    bridge.close()
    guarded.kill()


def test_a_user_with_a_password_is_let_in(tmp_path, eventually) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("no mosquitto_passwd here")
    (tmp_path / "passwords").write_text("foal:secret\n")
    subprocess.run([tool, "-U", str(tmp_path / "passwords")], check=True)
    guarded = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {tmp_path}/passwords")
    guarded.start()
    bridge = MqttBridge(Broker("127.0.0.1", guarded.port, user="foal", password="secret"), "foal-edge", announces=False)
    eventually(lambda: connected(bridge), "connected")
    bridge.check()
    bridge.close()
    guarded.kill()


def test_people_have_topics_below_the_streams_and_are_not_announced(broker, listen, eventually) -> None:
    listener, bridge = listen(), MqttBridge(broker.address, "foal-edge", announces=True)
    eventually(lambda: connected(bridge), "connected")
    for message in (PERSON, numbered(0, PERSON, person=11)):
        bridge.send(message)
    eventually(lambda: listener.has("foal-edge/cam1/person/11"), "the second has come")
    bridge.close()
    assert listener.has("foal-edge/cam1/person/2", json_of(PERSON), retained=False)
    assert not [topic for topic, *_ in listener.got if topic.startswith("homeassistant")]


def test_streams_are_announced_to_home_assistant_once(broker, listen, eventually) -> None:
    listener = listen()
    bridge = MqttBridge(broker.address, "foal-edge", announces=True)
    eventually(lambda: connected(bridge), "connected")
    bridge.send(PREDICTION)
    bridge.send(numbered(301, PREDICTION))
    eventually(lambda: listener.has("foal-edge/cam1/emotion", json_of(numbered(301, PREDICTION))), "the second came")
    configs = [json.loads(payload) for topic, payload, _ in listener.got if topic.endswith("/config")]
    assert [config["name"] for config in configs] == [
        "Emotion",
        "Probability of calm",
        "Probability of glad",
        "Confidence",
        "Speech",
        "Faces",
    ]
    bridge.close()
