"""Command `foal-edge proxy`: one address for the messages of many nodes."""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from ..fleet.addresses import parse_nodes, parse_peer
from ..fleet.proxy import Proxy
from ..fleet.settings import Settings
from ..fleet.status_line import StatusLine
from ..system.printable import visible
from ..system.signals import interruptible
from ..system.standard_streams import stderr
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, MAX_PORT
from .groups import Command, Examples
from .lines import print_notice
from .options import PATH, WholeNumber

if TYPE_CHECKING:
    from ..service.prometheus import MetricsServer

SECOND_S, MINUTE_S = 1.0, 60.0
"""Time between two status lines, where one replaces the other on a terminal, and elsewhere."""
ERASE = "\r\x1b[2K"
"""Control sequence that erases the line that the cursor is in."""
EXAMPLES: Examples = (
    ("proxy --from tcp://robot:5556 --from desk=tcp://10.0.0.7:5556", "Publish two nodes at tcp://127.0.0.1:5556."),
    (
        "proxy --from tcp://robot:5556,keys=robot --bind tcp://*:5556 --keys my-keys",
        "Do so for other machines, encrypted.",
    ),
    (
        "proxy --nodes tcp://*:5560 --node-keys node-keys",
        "Let nodes connect, as those behind a firewall or NAT must, and publish them here.",
    ),
    (
        "proxy --from robot=tcp://127.0.0.1:5556 --to tcp://fleet:5560,keys=robot",
        "Send the messages of this machine, as node robot, to such a proxy.",
    ),
)


@click.command("proxy", cls=Command, examples=EXAMPLES)
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="[NAME=]ADDRESS[,control=ADDRESS][,keys=DIR]",
    help="Node to connect to; may be repeated. Its name is its host's where none is given, its control port the one "
    "after ADDRESS's; control=off measures no clocks.",
)
@click.option("--nodes", "gate", metavar="ADDRESS", help="Address that nodes connect to, with `foal-edge proxy --to`.")
@click.option("--node-keys", "gate_keys", type=PATH, help="Folder of keys that admit only your own nodes to --nodes.")
@click.option(
    "--to",
    metavar="ADDRESS[,control=ADDRESS][,keys=DIR]",
    help="Send the messages to the --nodes of another proxy, and publish nothing here.",
)
@click.option("--bind", help=f"Address to publish at.  [default: {DEFAULT_ADDRESS}, or none with --to]")
@click.option(
    "--control", default=AUTO, help="Address of the control port, or off.  [default: the port after --bind's]"
)
@click.option("--keys", type=PATH, help="Folder of CURVE keys: only your own subscribers are let in, encrypted.")
@click.option("--insecure", is_flag=True, help="Allow public addresses without keys.")
@click.option("--topic", "topics", multiple=True, help="Beginning of topics to take; may be repeated.  [default: all]")
@click.option("--metrics-port", type=WholeNumber(0, MAX_PORT), help="Loopback port of a Prometheus page; 0 for any.")
@click.option("--quiet", is_flag=True, help="Print no status line.")
def proxy_command(
    sources: tuple[str, ...],
    gate: str | None,
    gate_keys: Path | None,
    to: str | None,
    bind: str | None,
    control: str,
    keys: Path | None,
    insecure: bool,
    topics: tuple[str, ...],
    metrics_port: int | None,
    quiet: bool,
) -> None:
    """Publish the messages of many nodes at one address.

    A node's stream cam1 is called NODE/cam1 behind the proxy. All that subscribes to a node subscribes to the proxy as
    well: it repeats the last message of each topic, and each message says which node it is from and how that node's
    clocks differ. It ends at Ctrl-C.
    """
    settings = Settings(
        nodes=parse_nodes(sources, "--from"),
        gate=gate,
        bind=DEFAULT_ADDRESS if bind is None and to is None else bind,
        to=None if to is None else parse_peer(to, "--to"),
        topics=topics,
        control=control,
        keys=keys,
        gate_keys=gate_keys,
        insecure=insecure,
    )
    with interruptible() as stop, closing(Proxy(settings, stop)) as proxy, ExitStack() as opened:
        if metrics_port is not None:
            opened.callback(serve_metrics(metrics_port, proxy).close)
        print_notice(f"{'sending to' if to else 'publishing at'} {proxy.address}, of {describe_nodes(settings)}")
        if quiet:
            stop.wait()
        else:
            show_status(proxy, stop)


def describe_nodes(settings: Settings) -> str:
    """Return where the nodes come from."""
    names = [node.name for node in settings.nodes]
    gate = [f"those that connect to {settings.gate}"] if settings.gate else []
    return " and ".join([*([", ".join(names)] if names else []), *gate])


def show_status(proxy: Proxy, stop: threading.Event) -> None:
    """Print a status line every second that replaces the one before on a terminal, or one a minute, until the stop."""
    line = StatusLine(time.monotonic())
    if sys.stderr.isatty():
        with erasing_before_records():
            while not stop.wait(SECOND_S):
                text = visible(line(proxy.states(), time.monotonic()))
                stderr.write(ERASE + text[: get_terminal_size().columns - 1])
                stderr.flush()
        stderr.write(ERASE)
    else:
        while not stop.wait(MINUTE_S):
            print_notice(line(proxy.states(), time.monotonic()))
    print_notice(line(proxy.states(), time.monotonic()))


@contextmanager
def erasing_before_records() -> Iterator[None]:
    """Erase the status line before each record of the log, which takes its place."""
    eraser, root = Eraser(), logging.getLogger()
    root.handlers.insert(0, eraser)
    try:
        yield
    finally:
        root.removeHandler(eraser)


class Eraser(logging.Handler):
    """Handler that erases the line that the cursor is in."""

    def emit(self, _record: logging.LogRecord) -> None:
        """Erase the line."""
        stderr.write(ERASE)


def serve_metrics(port: int, proxy: Proxy) -> "MetricsServer":
    """Serve the metrics of the fleet."""
    from ..fleet.metrics import fleet_metrics  # here, since few proxies serve metrics
    from ..service.prometheus import MetricsServer

    server = MetricsServer(port, lambda: fleet_metrics(proxy.states()))
    print_notice(f"metrics at http://127.0.0.1:{server.port}/metrics")
    return server
