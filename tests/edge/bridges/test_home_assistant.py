"""Discovery messages of Home Assistant: their templates give the values, rendered by Jinja as it does."""

import json
import re

import pytest

from edge.bridges.home_assistant import discovery
from edge.wire.evidence import AudioEvidence
from edge.wire.messages import encode
from tests.edge.made_messages import EVENT, PREDICTION, STATUS, numbered

jinja2 = pytest.importorskip("jinja2", reason="Jinja renders the templates")

SPEAKING = numbered(0, PREDICTION, audio=AudioEvidence("ok", -20.0, 0.456))
TOPICS = {"foal-edge/cam1/emotion": SPEAKING, "foal-edge/cam1/event": EVENT, "foal-edge/cam1/status": STATUS}
CONFIGS = {topic: json.loads(payload) for topic, payload in discovery(SPEAKING, "foal-edge").items()}


def rendered(template: str, payload: bytes) -> str:
    return str(jinja2.Environment().from_string(template).render(value_json=json.loads(payload)))


def test_every_sensor_reads_its_value_from_the_topic_that_it_names() -> None:
    shown = {
        config["name"]: rendered(config["value_template"], encode(TOPICS[config["state_topic"]], "json"))
        for config in CONFIGS.values()
    }
    assert shown == {
        "Emotion": "uncertain",
        "Probability of calm": "25.0",
        "Probability of glad": "75.0",
        "Confidence": "75.0",
        "Speech": "45.6",
        "Faces": "1",
    }


def test_what_is_null_is_unknown() -> None:
    speech = next(config for config in CONFIGS.values() if config["name"] == "Speech")
    assert rendered(speech["value_template"], encode(PREDICTION, "json")) == "None"


@pytest.mark.parametrize(
    ("state", "shown"), [("online", "online"), ("degraded", "online"), ("lost", "offline"), ("stopped", "offline")]
)
def test_a_stream_is_available_while_it_delivers(state: str, shown: str) -> None:
    payload = encode(numbered(0, STATUS, state=state), "json")
    for config in CONFIGS.values():
        own, stream = config["availability"]
        assert own == {"topic": "foal-edge/availability"}
        assert stream["topic"] == "foal-edge/cam1/status"
        assert rendered(stream["value_template"], payload) == shown


def test_topics_and_identities_are_those_that_home_assistant_takes() -> None:
    for topic, config in CONFIGS.items():
        assert re.fullmatch(r"homeassistant/(sensor|binary_sensor)/[\w-]+/[\w-]+/config", topic)
        assert config["device"]["identifiers"] == ["foal-edge-cam1"]
    assert len({config["unique_id"] for config in CONFIGS.values()}) == len(CONFIGS)


def test_the_emotion_may_be_any_label_or_uncertain() -> None:
    emotion = CONFIGS["homeassistant/sensor/foal-edge-cam1/emotion/config"]
    assert (emotion["device_class"], emotion["options"]) == ("enum", ["calm", "glad", "uncertain"])


def test_odd_labels_are_harmless_in_topics() -> None:
    odd = numbered(0, PREDICTION, labels=["not sure/#", "glad"])
    assert "homeassistant/sensor/foal-edge-cam1/prob-not_sure__/config" in discovery(odd, "foal-edge")
