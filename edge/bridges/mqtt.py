"""Bridge to an MQTT broker: messages as JSON, with an availability that the broker itself ends where the bridge dies.

PREFIX/availability       `online` or `offline`, retained; the last will
PREFIX/STREAM/emotion     predictions, at most once, not retained: a minute later they mislead
PREFIX/STREAM/event       the steady label, retained: it holds until the next one
PREFIX/STREAM/status      the state of the stream, and who is there, retained
PREFIX/STREAM/person/N    predictions of each of several people, at most once, not retained
PREFIX/stats              figures of the runtime, at most once, not retained
PREFIX/NODE/stats         the same of a node behind a proxy, whose streams are NODE_STREAM
"""

import logging
import sys
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from ..errors import PublishError
from ..wire.messages import TOPICS, Message, PersonPrediction, Prediction, Stats, Status, SteadyState, encode
from .base import Bridge, safe_name
from .home_assistant import OFFLINE, ONLINE, discovery

KEEPALIVE_S = 10
"""Time after which a broker that has gone silent counts as lost, and after one and a half of which it ends a client."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1, 30
"""Waits between two attempts to connect: doubled from the first to the longest."""
MAX_UNCONFIRMED = 200
"""Number of messages that may be on their way to the broker; further ones are dropped."""
LOST = frozenset({MQTTErrorCode.MQTT_ERR_NO_CONN, MQTTErrorCode.MQTT_ERR_CONN_LOST})
"""Results of a message that met the end of the connection; paho repeats it if its quality of service is 1."""
CLOSE_S = 2.0
"""Longest wait of an ending bridge for the broker."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Broker:
    """Address of a broker, and how to log in."""

    host: str
    port: int
    tls: bool = False
    ca_file: Path | None = None
    """File of the certificate authorities to trust; None for the system's."""
    user: str | None = None
    password: str | None = None

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class MqttBridge(Bridge):
    """Bridge that publishes while the broker is connected, and reconnects by itself.

    paho would keep messages without bound while it is disconnected, or lose them unsaid, by their quality of service.
    So nothing is handed to it then: what a later message replaces is dropped and counted, and the retained topics are
    published anew with each connection.
    """

    def __init__(self, broker: Broker, prefix: str, *, announces: bool) -> None:
        super().__init__()
        self._broker, self._prefix, self._announces = broker, prefix, announces
        self._announced: dict[str, list[str]] = {}
        """Labels with which each stream was announced to Home Assistant."""
        self._statuses: dict[str, Status] = {}
        """Last status of each stream of a node behind a proxy."""
        self._lock = threading.Lock()
        """Lock of the following, which paho's thread uses too."""
        self._connected = False
        self._retained: dict[str, bytes] = {self._availability: OFFLINE.encode()}
        self._unsent: set[str] = set()
        """Retained topics whose last message waits for a connection, or for a broker that is slow."""
        self._on_the_way: deque[tuple[paho.MQTTMessageInfo, bool]] = deque()
        """Messages that paho has not confirmed, the oldest first, and whether each is sent again if need be."""
        self._refusal: PublishError | None = None
        self._client = self._make_client()
        self._client.connect_async(broker.host, broker.port, KEEPALIVE_S)
        self._client.loop_start()

    @property
    def _availability(self) -> str:
        return f"{self._prefix}/availability"

    def _make_client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.reconnect_delay_set(FIRST_RETRY_S, LONGEST_RETRY_S)
        client.will_set(self._availability, OFFLINE, qos=1, retain=True)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.tls:
            client.tls_set(None if self._broker.ca_file is None else str(self._broker.ca_file))
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        return client

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = PublishError(
                f"{self._broker} refuses the bridge: {reason}; give the user in --broker mqtt://USER@HOST, "
                "and --password-file"
            )
            return
        log.info("connected to %s", self._broker)
        with self._lock:
            self._connected = True
            self._unsent = set(self._retained)
            self._publish_unsent()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        reason = sys.exc_info()[1]  # paho calls this while it handles the error, and tells it nowhere else
        log.warning(
            "cannot reach %s: %s; is a broker running there? Trying again, at most every %d s",
            self._broker,
            reason,
            LONGEST_RETRY_S,
        )

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        with self._lock:
            was_connected, self._connected = self._connected, False
        if was_connected and reason.is_failure:
            log.warning("lost %s: %s; trying again, at most every %d s", self._broker, reason, LONGEST_RETRY_S)

    def send(self, message: Message) -> None:
        """Publish a message, or keep it for the next connection if its topic is retained."""
        payload = encode(message, "json")
        name = TOPICS[type(message)]
        if isinstance(message, PersonPrediction):
            name = f"{name}/{message.person}"
        owner = message.stream if not isinstance(message, Stats) else message.node.name if message.node else None
        topic = f"{self._prefix}/{name}" if owner is None else self._topic(owner, name)
        with self._lock:
            if self._announces and isinstance(message, Prediction):
                self._announce(message)
            if isinstance(message, Status) and message.node is not None:
                self._statuses[message.stream] = message
            self._send(topic, payload, retain=isinstance(message, SteadyState | Status))

    def _topic(self, owner: str, name: str) -> str:
        return f"{self._prefix}/{safe_name(owner)}/{name}"

    def _announce(self, message: Prediction) -> None:
        if self._announced.get(message.stream) != message.labels:
            self._announced[message.stream] = message.labels
            for topic, payload in discovery(message, self._prefix).items():
                self._send(topic, payload.encode(), retain=True)

    def _send(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if retain:
            self._retained[topic] = payload
        if self._connected:
            self._publish(topic, payload, retain=retain)
        else:
            self._put_off(topic, "disconnected", retain=retain)

    def _put_off(self, topic: str, reason: str, *, retain: bool) -> None:
        if retain and topic not in self._unsent:
            self._unsent.add(topic)
        else:
            self.dropped[reason] += 1

    def _publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        self._forget_confirmed()
        if len(self._on_the_way) >= MAX_UNCONFIRMED:
            self._put_off(topic, "broker_slow", retain=retain)
            return
        self._on_the_way.append((self._client.publish(topic, payload, qos=int(retain), retain=retain), retain))

    def _forget_confirmed(self) -> None:
        while self._on_the_way:
            info, is_repeated = self._on_the_way[0]
            is_lost = info.rc in LOST
            if not is_lost and not info.is_published():
                break
            if is_lost and not is_repeated:
                self.dropped["connection_lost"] += 1
            self._on_the_way.popleft()

    def check(self) -> None:
        """Publish what had to wait. Raises PublishError if the broker refuses this client for good."""
        if self._refusal is not None:
            raise self._refusal
        with self._lock:
            if self._connected:
                self._publish_unsent()

    def _publish_unsent(self) -> None:
        waiting, self._unsent = self._unsent, set()
        for topic in waiting:
            self._publish(topic, self._retained[topic], retain=True)

    def node_lost(self, name: str) -> None:
        """Publish that the streams of a node are lost, in place of its last status."""
        with self._lock:
            for stream, status in list(self._statuses.items()):
                if status.node is not None and status.node.name == name:
                    del self._statuses[stream]
                    lost = msgspec.structs.replace(status, state="lost")
                    self._send(self._topic(stream, TOPICS[Status]), encode(lost, "json"), retain=True)

    def publisher_lost(self) -> None:
        """Publish that nothing is available."""
        self._say_availability(OFFLINE)

    def publisher_back(self) -> None:
        """Publish that the bridge and what it bridges are there."""
        self._say_availability(ONLINE)

    def _say_availability(self, state: str) -> None:
        with self._lock:
            self._send(self._availability, state.encode(), retain=True)

    def close(self) -> None:
        """Publish that nothing is available any more, and disconnect."""
        with self._lock:
            last = self._client.publish(self._availability, OFFLINE, qos=1, retain=True) if self._connected else None
        if last is not None:
            last.wait_for_publish(CLOSE_S)
        self._client.disconnect()
        self._client.loop_stop()
