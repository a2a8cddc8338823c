"""Command `foal-edge bridge`: hands what a running foal-edge publishes to LSL, OSC, MQTT or a bag of ROS 2."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ..bridges.base import Bridge, check_remote, needs_extra
from ..bridges.run import bridge_messages
from ..errors import UsageError
from ..system.files import check_file
from ..system.signals import interruptible
from ..wire.subscriber import Subscriber
from .groups import Command, Examples, Group
from .options import PATH, client_keys_option, connect_option, load_client_keys

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
EXAMPLES: Examples = (
    ("bridge lsl --insecure", "Offer predictions and labels to LabRecorder and other inlets."),
    ("bridge osc --to 127.0.0.1:9000", "Send messages to a program for sound or light on this machine."),
    ("bridge mqtt --home-assistant", "Publish to the MQTT broker on this machine, announced to Home Assistant."),
    ("bridge rosbag talk --connect tcp://robot:5556 --keys desk", "Write a bag of another machine's messages."),
)

insecure_option = click.option("--insecure", is_flag=True, help="Allow predictions to leave this machine unencrypted.")


@click.group("bridge", cls=Group, examples=EXAMPLES)
def bridge_command() -> None:
    """Hand what is published to LSL, OSC, MQTT or a bag of ROS 2.

    A bridge waits for foal-edge and for its own server, comes back by itself where either was gone, and says what was
    lost. It ends at Ctrl-C. Each needs an extra of its name: pip install 'foal-edge[mqtt]'.
    """


def bridge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a subscriber to a command."""
    return connect_option(client_keys_option(command))


@bridge_command.command(
    "lsl", cls=Command, examples=EXAMPLES[:1], short_help="Offer predictions and steady labels as outlets of LSL."
)
@bridge_options
@click.option(
    "--control",
    "controls",
    multiple=True,
    help="Control port of another machine, by which its clock is known, off if it is on this one; one for each "
    "--connect in turn.  [default: the port after --connect's, if that is on another machine]",
)
@insecure_option
def lsl_command(addresses: tuple[str, ...], folder: Path | None, controls: tuple[str, ...], insecure: bool) -> None:
    """Offer predictions and steady labels as outlets of the Lab Streaming Layer.

    LSL encrypts nothing and listens on every network interface, whatever its configuration says, so that --insecure
    must be given.
    """
    if not insecure:
        raise UsageError(
            "LSL listens on every network interface and encrypts nothing, so that others in the network could read "
            "the predictions; give --insecure if the network is trusted"
        )
    with needs_extra("lsl"):
        from ..bridges.lsl import LslBridge, LslClock
    from ..bridges.publisher_clocks import PublisherClocks, find_clocks

    clocks = PublisherClocks(find_clocks(addresses, controls), load_client_keys(folder))
    run_bridge(addresses, folder, lambda: LslBridge(LslClock(clocks.measure)))


@bridge_command.command(
    "osc", cls=Command, examples=EXAMPLES[1:2], short_help="Send predictions, steady labels and states over OSC."
)
@bridge_options
@click.option("--to", default="127.0.0.1:9000", show_default=True, metavar="HOST:PORT", help="UDP address to send to.")
@insecure_option
def osc_command(addresses: tuple[str, ...], folder: Path | None, to: str, insecure: bool) -> None:
    """Send predictions, steady labels and states as Open Sound Control over UDP."""
    host, port = host_and_port(f"udp://{to}", "--to", None)
    check_remote(host, "OSC", insecure=insecure)
    with needs_extra("osc"):
        from ..bridges.osc import OscBridge
    run_bridge(addresses, folder, lambda: OscBridge(host, port))


@bridge_command.command(
    "mqtt", cls=Command, examples=EXAMPLES[2:3], short_help="Publish messages as JSON to an MQTT broker."
)
@bridge_options
@click.option(
    "--broker",
    "url",
    default="mqtt://127.0.0.1",
    show_default=True,
    metavar="mqtt[s]://[USER@]HOST[:PORT]",
    help="Broker to publish to; mqtts encrypts.",
)
@click.option("--password-file", type=PATH, help="File with the password of the user.")
@click.option("--ca", "ca_file", type=PATH, help="Certificates that mqtts trusts.  [default: the system's]")
@click.option("--prefix", default="foal-edge", show_default=True, help="Beginning of the topics.")
@click.option("--home-assistant", is_flag=True, help="Announce each stream to Home Assistant, retained.")
@insecure_option
def mqtt_command(
    addresses: tuple[str, ...],
    folder: Path | None,
    url: str,
    password_file: Path | None,
    ca_file: Path | None,
    prefix: str,
    home_assistant: bool,
    insecure: bool,
) -> None:
    """Publish messages as JSON to an MQTT broker, with an availability topic and a last will."""
    scheme = url.partition("://")[0]
    if scheme not in MQTT_PORTS:
        raise UsageError(f"--broker {url} begins with neither mqtt:// nor mqtts://; give one like mqtt://127.0.0.1")
    host, port = host_and_port(url, "--broker", MQTT_PORTS[scheme])
    if not prefix or any(character in prefix for character in "#+\0"):
        raise UsageError(f"--prefix {prefix!r} cannot begin a topic; give one without #, + and NUL, like foal-edge")
    if scheme == "mqtt":
        check_remote(host, "MQTT without TLS (mqtts)", insecure=insecure)
    for path in filter(None, (password_file, ca_file)):
        check_file(path, "give another one")
    with needs_extra("mqtt"):
        from ..bridges.mqtt import Broker, MqttBridge
    password = None if password_file is None else password_file.read_text().rstrip("\r\n")
    broker = Broker(host, port, scheme == "mqtts", ca_file, urlsplit(url).username, password)
    run_bridge(addresses, folder, lambda: MqttBridge(broker, prefix, announces=home_assistant))


@bridge_command.command("rosbag", cls=Command, examples=EXAMPLES[3:], short_help="Write messages into a bag of ROS 2.")
@click.argument("bag", type=PATH, metavar="FOLDER")
@bridge_options
def rosbag_command(bag: Path, addresses: tuple[str, ...], folder: Path | None) -> None:
    """Write predictions as ROS4HRI expressions, and all messages as JSON, into a new bag of ROS 2 (MCAP)."""
    with needs_extra("ros"):
        from ..bridges.rosbag import RosbagBridge
    run_bridge(addresses, folder, lambda: RosbagBridge(bag))


def run_bridge(addresses: Sequence[str], folder: Path | None, open_bridge: Callable[[], Bridge]) -> None:
    """Bridge what is published at some addresses until Ctrl-C; `folder` holds this client's keys."""
    with interruptible() as stop, Subscriber(addresses, keys=load_client_keys(folder)) as subscriber:
        bridge_messages(subscriber, open_bridge(), " and ".join(addresses), stop)


def host_and_port(url: str, option: str, default_port: int | None) -> tuple[str, int]:
    """Return the host and the port of a URL; UsageError names the option if they are none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, default_port if parts.port is None else parts.port
    except ValueError:  # of a port that is no number, or of brackets that do not match
        host = port = None
    if not host or not port:
        raise UsageError(f"{option}: {url.removeprefix('udp://')!r} has no host and port; give one like 127.0.0.1:9000")
    return host, port
