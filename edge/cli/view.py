"""Command `foal-edge view`: a page that shows running instances of foal-edge."""

import os
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from ..system.signals import interruptible
from ..view.beside import check_installed, lower_priority
from ..view.listening import DEFAULT_PORT, listen
from ..wire.addresses import MAX_PORT, OFF
from .groups import Command, Examples
from .lines import print_notice
from .options import PATH, WholeNumber, connect_option, load_client_keys
from .printer import ignore

if TYPE_CHECKING:
    from ..view.runtimes import Runtimes

EXAMPLES: Examples = (
    ("view", "Show what runs on this machine at http://127.0.0.1:8556/, until Ctrl-C."),
    ("view --connect tcp://127.0.0.1:5556 --connect tcp://127.0.0.1:5566", "Show two instances on one page."),
    ("view --connect tcp://robot:5556 --keys desk", "Show another machine that wants keys."),
)


@click.command("view", cls=Command, examples=EXAMPLES)
@connect_option
@click.option(
    "--keys",
    "folders",
    type=PATH,
    multiple=True,
    help="Folder of this client's keys, as of `foal-edge listen`: one for all addresses, or one for each in turn, off "
    "for none.",
)
@click.option(
    "--port",
    type=WholeNumber(0, MAX_PORT),
    help=f"Loopback port of the page; 0 for any.  [default: {DEFAULT_PORT}, or any if that is taken]",
)
@click.option("--beside", "descriptor", type=int, hidden=True, help="Descriptor of the socket that a run listens at.")
def view_command(
    addresses: tuple[str, ...], folders: tuple[Path, ...], port: int | None, descriptor: int | None
) -> None:
    """Show running instances of foal-edge on a page.

    Browsers of this machine can open it. It is one more subscriber: it slows nothing, and it goes on by itself when an
    instance is gone and comes back.
    """
    runtimes = make_runtimes(addresses, folders)
    check_installed()
    with interruptible() as stop, listen(port) if descriptor is None else socket.socket(fileno=descriptor) as listening:
        if descriptor is not None:
            lower_priority()
            end_with_run(stop)
        from ..view.server import serve  # here, since the page's library takes a second to import

        serve(runtimes, listening, stop, print_address if descriptor is None else ignore)


def print_address(address: str) -> None:
    """Print where the page is."""
    print_notice(f"view at {address}")


def end_with_run(stop: threading.Event) -> None:
    """Set `stop` once the run has closed its end of the pipe that is the standard input, or has gone."""

    def await_end() -> None:
        while os.read(sys.stdin.fileno(), 1):
            continue
        stop.set()

    threading.Thread(target=await_end, name="run's end", daemon=True).start()


def make_runtimes(addresses: Sequence[str], folders: Sequence[Path]) -> "Runtimes":
    """Return what is to be shown; UsageError if the keys make no sense."""
    from ..view.link import Link  # here, as it imports asyncio
    from ..view.runtimes import Runtimes

    if len(folders) not in (0, 1, len(addresses)):
        raise UsageError(
            f"{len(folders)} --keys for {len(addresses)} --connect; give one for all, or one for each (off for none)"
        )
    each = [None if str(folder) == OFF else folder for folder in folders] or [None]
    keys = [load_client_keys(folder) for folder in (each * len(addresses) if len(each) == 1 else each)]
    return Runtimes([Link(address, key) for address, key in zip(addresses, keys, strict=True)])
