"""Run of the command line: started, its messages printed, stopped by a signal."""

import logging
from collections.abc import Callable

from ..errors import SourceError
from ..session.config import Config
from ..session.run import run
from ..system.logs import LogFormat
from ..system.signals import interruptible
from .engine_builder import make_engine_builder
from .lines import print_notice
from .printer import ignore, printing_messages

log = logging.getLogger(__name__)


def run_until_stopped(config: Config, log_format: LogFormat, *, quiet: bool) -> None:
    """Run until a signal or the end of the recordings, and print a line per message unless `quiet`.

    What runs where is a line before these, or, in JSON, a record of the log, which `quiet` leaves as it is.
    """
    tell: Callable[[str], None] = log.info if log_format == "json" else ignore if quiet else print_notice
    with interruptible() as stop:
        engine_builder = make_engine_builder(stop.is_set, quiet=quiet)
        try:
            with printing_messages(stop, waits=config.fast, quiet=quiet) as on_sent:
                run(config, stop, engine_builder, tell, on_sent)
        except SourceError as error:
            if not stop.is_set():
                raise
            log.info("%s", error)  # nobody waits for it any more
