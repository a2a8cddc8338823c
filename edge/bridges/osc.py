"""Bridge to Open Sound Control: a UDP bundle a message, with an OSC message a value.

Every value has its type written down: python-osc would send a float as 32 bits, in which Unix time is off by up to a
minute, and an integer as 32 or 64 bits by its size.
"""

import logging
import re
import socket
from collections.abc import Iterator

from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from ..errors import PublishError
from ..wire.messages import BasePrediction, CameraPicture, Message, PersonPrediction, Prediction, Stats, Status
from .base import Bridge

UNADDRESSABLE = re.compile(r"[^!-~]|[#*,/?\[\]{}]")
"""Pattern of the characters that may not stand in a part of an OSC address."""
Argument = tuple[str, str | int | float]
"""Type tag of OSC and value: `s` text, `i` and `h` integers of 32 and 64 bits, `f` and `d` floats of 32 and 64 bits."""

log = logging.getLogger(__name__)


class OscBridge(Bridge):
    """Bridge that sends every message but the stats to one UDP address.

    UDP tells nobody what is lost on the way; the sequence number in each bundle shows it to the receiver.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        try:
            family, kind, _, _, destination = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except OSError as error:
            raise PublishError(f"no such host: {host} ({error}); give --to HOST:PORT, like 127.0.0.1:9000") from error
        self._destination = destination
        self._socket = socket.socket(family, kind)
        self._socket.setblocking(False)

    def send(self, message: Message) -> None:
        """Send a message as one bundle; one that the system does not take counts as dropped."""
        if isinstance(message, Stats | CameraPicture):
            return
        try:
            self._socket.sendto(bundle(message).dgram, self._destination)
        except OSError as error:
            if not self.dropped:
                log.warning("cannot send to %s: %s; trying again with every message", self._destination, error)
            self.dropped["not_sent"] += 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def bundle(message: Message) -> OscBundle:
    """Return a message as one bundle, to be acted on at once: receivers call bundles with a past time tag late."""
    made = OscBundleBuilder(IMMEDIATELY)
    for address, arguments in values(message):
        builder = OscMessageBuilder(address)
        for tag, value in arguments:
            builder.add_arg(value, tag)
        made.add_content(builder.build())
    return made.build()


def values(message: Message) -> list[tuple[str, list[Argument]]]:
    """Return the OSC addresses of a message with their arguments, the capture time first; nothing of those not sent."""
    if isinstance(message, Stats | CameraPicture):
        return []
    root = f"/foal-edge/{address_part(message.stream)}"
    if isinstance(message, Prediction):
        return [(f"{root}/{name}", arguments) for name, arguments in prediction_values(message)]
    if isinstance(message, PersonPrediction):
        of_person = f"{root}/person/{message.person}"
        return [(f"{of_person}/{name}", arguments) for name, arguments in prediction_values(message)]
    if isinstance(message, Status):
        state: list[Argument] = [("s", message.state), ("s", message.audio), ("s", message.video)]
        status = (f"{root}/status", [*state, ("h", message.t_publish), ("h", message.seq)])
        if not message.people and not message.left:
            return [status]
        people: list[Argument] = [("i", person) for person in message.people]
        return [status, (f"{root}/people", people)]
    event: list[Argument] = [("s", message.label), ("s", message.previous or ""), ("f", message.confidence)]
    return [(f"{root}/event", [*event, ("h", message.t_since), ("h", message.seq)])]


def prediction_values(message: BasePrediction) -> Iterator[tuple[str, list[Argument]]]:
    """Give the values of a prediction by name; what is null is left out, as few receivers know OSC's nil."""
    audio, video = message.audio, message.video
    yield "time", [("h", message.t_end), ("d", message.t_end / 1e9)]
    yield "seq", [("h", message.seq)]
    yield "label", [("s", message.label)]
    yield "confidence", [("f", message.confidence)]
    for label, probability in zip(message.labels, message.probs, strict=True):
        yield f"prob/{address_part(label)}", [("f", probability)]
    yield "audio", [("s", audio.state)]
    yield "video", [("s", video.state)]
    optional = {"agreement": message.agreement, "speech": audio.speech, "rms_dbfs": audio.rms_dbfs}
    for name, value in optional.items():
        if value is not None:
            yield name, [("f", value)]
    if video.faces is not None:
        yield "faces", [("i", video.faces)]
    if video.box is not None:
        yield "box", [("i", side) for side in video.box]
    if audio.voice_of is not None:
        yield "voice_of", [("s", audio.voice_of)]
    if isinstance(message, PersonPrediction):
        yield "steady", [("s", message.steady)]
    elif isinstance(message, Prediction) and message.person is not None:
        yield "main_person", [("i", message.person)]  # OSC's addresses are leaves: /person holds those of people


def address_part(text: str) -> str:
    """Return a text without the characters that mean something in an OSC address."""
    return UNADDRESSABLE.sub("_", text)
