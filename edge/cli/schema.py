"""Command `foal-edge schema`: prints the JSON Schema of what is on the wire."""

import click
import msgspec

from ..wire.control_messages import schema
from .groups import Command, Examples
from .lines import print_line

EXAMPLES: Examples = (("schema", "Print the schema; > foal-edge.schema.json keeps it for another language."),)


@click.command("schema", cls=Command, examples=EXAMPLES)
def schema_command() -> None:
    """Print the JSON Schema of all messages.

    It is that of a published message; its `$defs` hold the requests and replies of the control port, too.
    """
    for line in msgspec.json.format(msgspec.json.encode(schema())).decode().splitlines():
        print_line(line)
