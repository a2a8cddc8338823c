"""`python -m train`."""

import os
import sys

import click

from edge.errors import FoalError

from .commands import main


def run_command() -> None:
    """Run; what the user can mend is said without a traceback."""
    # Torch 2.14's oneDNN gets grouped convolutions in bfloat16, which WavLM has, wrong with AMX (off by 4 deviations).
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
    try:
        main()
    except FoalError as error:
        click.echo(f"train: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    run_command()
