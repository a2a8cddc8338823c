"""Discovery messages of Home Assistant: a device for each stream, whose sensors read the topics of the MQTT bridge."""

import json

from ..wire.messages import UNCERTAIN, Prediction
from .base import safe_name

DISCOVERY = "homeassistant"
"""First part of the topics that Home Assistant watches."""
ONLINE, OFFLINE = "online", "offline"


def discovery(message: Prediction, prefix: str) -> dict[str, str]:
    """Return the retained messages that announce a stream: topic -> JSON; `prefix` begins the bridge's topics."""
    device = f"{safe_name(prefix)}-{safe_name(message.stream)}"
    return {
        f"{DISCOVERY}/{component}/{device}/{key}/config": json.dumps(
            {**settings, **shared(message.stream, prefix, device, key)}
        )
        for component, key, settings in entities(message, f"{prefix}/{safe_name(message.stream)}")
    }


def shared(stream: str, prefix: str, device: str, key: str) -> dict[str, object]:
    """Return what every entity of a stream says: its identity, its device, and when it is available."""
    return {
        "unique_id": f"{device}-{key}",
        "object_id": f"{device}-{key}",
        "device": {"identifiers": [device], "name": f"foal-edge {stream}", "manufacturer": "foal-edge"},
        "origin": {"name": "foal-edge bridge"},
        "availability_mode": "all",
        "availability": [
            {"topic": f"{prefix}/availability"},
            {
                "topic": f"{prefix}/{safe_name(stream)}/status",
                "value_template": "{{ 'offline' if value_json.state in ['lost', 'stopped'] else 'online' }}",
            },
        ],
    }


def entities(message: Prediction, root: str) -> list[tuple[str, str, dict[str, object]]]:
    """Return the component, the key and the settings of each entity of a stream."""
    predictions = {"state_topic": f"{root}/emotion", "state_class": "measurement"}
    percent = {**predictions, "unit_of_measurement": "%", "suggested_display_precision": 0}
    return [
        (
            "sensor",
            "emotion",
            {
                "name": "Emotion",
                "state_topic": f"{root}/event",
                "value_template": "{{ value_json.label }}",
                "device_class": "enum",
                "options": [*message.labels, UNCERTAIN],
            },
        ),
        *(
            (
                "sensor",
                f"prob-{safe_name(label)}",
                {**percent, "name": f"Probability of {label}", "value_template": share(f"probs[{index}]")},
            )
            for index, label in enumerate(message.labels)
        ),
        ("sensor", "confidence", {**percent, "name": "Confidence", "value_template": share("confidence")}),
        ("sensor", "speech", {**percent, "name": "Speech", "value_template": share("audio.speech")}),
        ("sensor", "faces", {**predictions, "name": "Faces", "value_template": "{{ value_json.video.faces }}"}),
    ]


def share(path: str) -> str:
    """Return the template of a share as a percentage; null stays `None`, which Home Assistant takes for unknown."""
    value = f"value_json.{path}"
    return f"{{{{ ({value} * 100) | round(1) if {value} is not none else none }}}}"
