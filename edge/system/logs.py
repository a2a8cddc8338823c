"""Logs on stderr: lines for people, or a JSON object a line for programs."""

import json
import logging
import math
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Set
from datetime import datetime, timezone
from numbers import Integral, Real
from types import TracebackType
from typing import Literal

from .printable import paragraph, visible
from .redaction import censored
from .standard_streams import stderr

LogFormat = Literal["text", "json"]

OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""What every record has; the rest was given as `extra`."""
PACKAGE = __name__.split(".")[0]

log = logging.getLogger(__name__)


def configure(log_format: LogFormat, verbose: bool) -> None:
    """Write all that is logged to stderr: warnings, and of this program's own also news, or everything if `verbose`.

    May be called again, once it is known what the user wants. With `json`, Python's warnings and what ends the program
    or a thread unforeseen become records too, so that every line can be parsed.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, Stderr)]:
        root.removeHandler(handler)
    handler = Stderr()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter("foal-edge: %(message)s"))
    root.addHandler(handler)
    logging.getLogger(PACKAGE).setLevel(logging.DEBUG if verbose else logging.INFO)
    is_json = log_format == "json"
    logging.captureWarnings(is_json)
    sys.excepthook = log_unforeseen if is_json else print_unforeseen
    threading.excepthook = log_unforeseen_in_thread if is_json else print_unforeseen_in_thread


class Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # a generic only from Python 3.11 on
    """Writes to what is stderr at that moment, not to what it was when logging was configured."""

    def __init__(self) -> None:
        super().__init__(stderr)


class RateLimitedLog:
    """Says what may repeat without end at a bounded rate: so many lines a while, and then how many were left out.

    For one thread.
    """

    def __init__(self, to: logging.Logger, lines: int = 6, each_s: float = 60.0) -> None:
        self._log, self._lines, self._each_s = to, lines, each_s
        self._begin_s, self._said, self._left_out = -math.inf, 0, 0

    def __call__(self, level: int, text: str, *args: object) -> None:
        """Log a line; as one for debugging where there were enough."""
        now_s = time.monotonic()
        if now_s - self._begin_s >= self._each_s:
            self._begin_s, self._said = now_s, 0
        if self._said == self._lines:
            self._left_out += 1
            self._log.debug(text, *args)
            return
        self._said += 1
        if self._left_out:
            text += f"; {self._left_out} lines like it were left out before"
            self._left_out = 0
        self._log.log(level, text, *args)


class TextFormatter(logging.Formatter):
    """Lines for people; no secret of an address and no control character is among them, whoever wrote it there."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, with its traceback where it has one."""
        return paragraph(censored(super().format(record)))


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, thread, message, what was given as `extra`, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, in ASCII."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = self.formatStack(record.stack_info)
        for name, value in vars(record).items():
            if name not in OWN:
                fields[f"{name}_" if name in fields else name] = value
        return json.dumps(plain(fields))


def plain(value: object) -> object:
    """The value in JSON's types; what has no counterpart there, infinity among them, as text. Secrets are hidden."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return censored(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {censored(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | Set):
        return [plain(inner) for inner in value]
    return censored(str(value))


def print_unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the program: Python's own traceback, without the secrets of addresses."""
    stderr.write(paragraph(censored("".join(traceback.format_exception(kind, error, trace))), indent="") + "\n")


def print_unforeseen_in_thread(ended: threading.ExceptHookArgs) -> None:
    """What ends a thread, in the same way."""
    if not issubclass(ended.exc_type, SystemExit):
        stderr.write(visible(censored(f"Exception in thread {ended.thread.name if ended.thread else None}:")) + "\n")
        print_unforeseen(ended.exc_type, ended.exc_value or ended.exc_type(), ended.exc_traceback)


def log_unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the program, in place of a traceback over many lines."""
    log.critical("ended by an error of its own", exc_info=(kind, error, trace))


def log_unforeseen_in_thread(ended: threading.ExceptHookArgs) -> None:
    """What ends a thread, in place of a traceback over many lines."""
    error = ended.exc_value or ended.exc_type()
    name = ended.thread.name if ended.thread else None
    log.critical("thread %s ended by an error of its own", name, exc_info=(ended.exc_type, error, ended.exc_traceback))
