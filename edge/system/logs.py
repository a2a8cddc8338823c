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

RECORD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""Names that every log record has; the others were given as `extra`."""
PACKAGE = __name__.split(".")[0]
"""Name of the package's logger: `foal_edge`, or `edge` in a checkout."""

log = logging.getLogger(__name__)


def configure(log_format: LogFormat, verbose: bool) -> None:
    """Log to stderr: warnings, and from this package also information, or everything if `verbose`.

    May be called again, once the user's wishes are known. With `json`, Python's warnings and uncaught exceptions become
    records too, so that every line can be parsed.
    """
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, StderrHandler)]:
        root.removeHandler(handler)
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter("foal-edge: %(message)s"))
    root.addHandler(handler)
    logging.getLogger(PACKAGE).setLevel(logging.DEBUG if verbose else logging.INFO)
    is_json = log_format == "json"
    logging.captureWarnings(is_json)
    sys.excepthook = log_uncaught if is_json else print_uncaught
    threading.excepthook = log_uncaught_in_thread if is_json else print_uncaught_in_thread


class StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]  # a generic only from Python 3.11 on
    """Handler that writes to the current `sys.stderr`, not to the one of when logging was configured."""

    def __init__(self) -> None:
        super().__init__(stderr)


class RateLimitedLog:
    """Log that writes at most `lines` lines in `each_s` seconds, and then the number of those that were left out.

    For use by one thread.
    """

    def __init__(self, to: logging.Logger, lines: int = 6, each_s: float = 60.0) -> None:
        self._log, self._lines, self._each_s = to, lines, each_s
        self._begin_s, self._said, self._left_out = -math.inf, 0, 0

    def __call__(self, level: int, text: str, *args: object) -> None:
        """Log a line, at level DEBUG if there were enough."""
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
    """Formatter of lines for people, without secrets of addresses and without raw control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, with its traceback if it has one."""
        return paragraph(censored(super().format(record)))


class JsonFormatter(logging.Formatter):
    """Formatter of one line of JSON: time, level, logger, thread, message, what was given as `extra`, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON in ASCII."""
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
            if name not in RECORD_FIELDS:
                fields[f"{name}_" if name in fields else name] = value
        return json.dumps(to_json(fields))


def to_json(value: object) -> object:
    """Return a value in JSON's types, without secrets; values without a counterpart, such as infinity, become text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return censored(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {censored(str(key)): to_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | Set):
        return [to_json(inner) for inner in value]
    return censored(str(value))


def print_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an exception that ends the program, without secrets of addresses."""
    stderr.write(paragraph(censored("".join(traceback.format_exception(kind, error, trace))), indent="") + "\n")


def print_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    """Print the traceback of an exception that ends a thread."""
    if not issubclass(ended.exc_type, SystemExit):
        stderr.write(visible(censored(f"Exception in thread {ended.thread.name if ended.thread else None}:")) + "\n")
        print_uncaught(ended.exc_type, ended.exc_value or ended.exc_type(), ended.exc_traceback)


def log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log an exception that ends the program as one record."""
    log.critical("ended by an error of its own", exc_info=(kind, error, trace))


def log_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    """Log an exception that ends a thread as one record."""
    error = ended.exc_value or ended.exc_type()
    name = ended.thread.name if ended.thread else None
    log.critical("thread %s ended by an error of its own", name, exc_info=(ended.exc_type, error, ended.exc_traceback))
