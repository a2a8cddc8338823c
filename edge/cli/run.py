"""Run of the command line: started, its messages shown, stopped by a signal."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, closing

from ..errors import SourceError
from ..session.config import Config
from ..session.run import run
from ..session.start import Start
from ..system.allocator import limit_arenas
from ..system.logs import LogFormat
from ..system.signals import interruptible
from .engine_builder import make_engine_builder
from .lines import print_notice
from .opening import opening_lines
from .printer import printing_messages
from .screen import RunScreen, is_terminal
from .times import Times

log = logging.getLogger(__name__)


def run_until_stopped(config: Config, log_format: LogFormat, *, quiet: bool, plain: bool) -> None:
    """Run until a signal or the end of the recordings, and show the messages unless `quiet`.

    What was chosen comes in lines before them, or, in JSON, in records of the log, which `quiet` leaves as they are.
    """
    limit_arenas()
    as_table = not plain and not config.fast and log_format == "text" and is_terminal()
    tell: Callable[[str], None] = log.info if log_format == "json" else print_notice
    with interruptible() as stop, ExitStack() as opened:
        screen = opened.enter_context(closing(RunScreen(as_table=as_table, is_live=not config.fast)))

        def begin(start: Start) -> None:
            if not quiet or log_format == "json":
                for line in opening_lines(start):
                    tell(line)
            if not quiet:
                screen.open(Times(start.begin_ns), start.captions)

        engine_builder = make_engine_builder(stop.is_set, quiet=quiet)
        try:
            on_sent = opened.enter_context(printing_messages(screen, stop, waits=config.fast, quiet=quiet))
            run(config, stop, engine_builder, begin, on_sent)
        except SourceError as error:
            if not stop.is_set():
                raise
            log.info("%s", error)  # nobody waits for it any more
