"""Command `foal-edge keys`: makes the keys of a publisher and of its clients."""

from pathlib import Path

import click

from ..system.files import is_there
from ..wire.keys import make_client_keys, make_server_keys
from .groups import Command, Examples
from .lines import print_line
from .options import PATH

EXAMPLES: Examples = (
    ("keys my-keys --client robot --client desk", "Make the keys of a publisher and of two clients."),
    ("keys my-keys --client phone", "Add a client later."),
)


@click.command("keys", cls=Command, examples=EXAMPLES)
@click.argument("folder", type=PATH, metavar="DIR")
@click.option("--client", "names", multiple=True, metavar="NAME", help="Name of a client to let in; may be repeated.")
def keys_command(folder: Path, names: tuple[str, ...]) -> None:
    """Make CURVE keys for a publisher and its clients.

    The publisher runs with foal-edge --keys DIR. A client takes the folder DIR/hand-out/NAME to its machine and runs
    foal-edge listen --keys NAME. To shut a client out, delete DIR/clients/NAME.key. Existing keys are never changed.
    """
    if not names or not is_there(folder / "server.key"):
        make_server_keys(folder)
        print_line(f"the server's keys are in {folder}: foal-edge --keys {folder}")
    for name in names:
        hand_out = make_client_keys(folder, name)
        print_line(f"{name}'s keys are in {hand_out}: hand that folder over, and keep no copy")
