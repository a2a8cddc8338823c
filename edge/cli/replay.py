"""`foal-edge replay`."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import click

from ..clock import SystemClock
from ..errors import FoalError, UsageError
from ..live.recognizer import Recognizer
from ..recording.compare import FLOATS_ALIKE, LOWER_ALIKE
from ..recording.machine import here, otherwise
from ..recording.metadata import RunMetadata, read_metadata
from ..recording.reader import has_inputs
from ..recording.replay import Replay, at_once, find_bundle, in_its_own_time, open_recognizer
from ..system.signals import interruptible
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, check_address, check_exposure, publishing_address
from ..wire.keys import load_server_keys
from ..wire.messages import Message
from ..wire.publisher import Publisher
from . import tables as show
from .options import make_engine_builder
from .printer import Printer
from .terminal import complaints, console


@click.command()
@click.argument("recording", type=click.Path(readable=False, path_type=Path))
@click.option(
    "--bundle",
    type=click.Path(readable=False, path_type=Path),
    help="Folder of the model.  [default: the recorded one]",
)
@click.option("--bind", default=AUTO, help=f"Where to publish; or off.  [default: {DEFAULT_ADDRESS}; with --fast off]")
@click.option(
    "--keys", type=click.Path(readable=False, path_type=Path), help="Folder of CURVE keys: strangers are refused."
)
@click.option("--insecure", is_flag=True, help="Let a public address do without keys.")
@click.option("--compare", is_flag=True, help="Publish nothing; check that the same messages come about.")
@click.option("--messages-only", is_flag=True, help="Publish the messages as they were sent, infer nothing.")
@click.option("--fast", is_flag=True, help="As quickly as possible, not in the recording's own time.")
@click.option("--quiet", is_flag=True, help="Publish only, print nothing.")
def replay(
    recording: Path,
    bundle: Path | None,
    bind: str,
    keys: Path | None,
    insecure: bool,
    compare: bool,
    messages_only: bool,
    fast: bool,
    quiet: bool,
) -> None:
    """Play a RECORDING again that --record has made.

    With sound and pictures (--record-media) the model looks at them again, else the messages are published as they
    were sent. --compare is byte for byte on the processor and with the versions that recorded it; on others floats may
    differ a little, which is said.
    """
    about = read_metadata(recording)
    infers = has_inputs(recording) and not messages_only
    if compare and not infers:
        raise UsageError(
            f"--compare goes by sound and pictures, without --messages-only: {recording} was recorded "
            f"{'with' if has_inputs(recording) else 'without'} --record-media"
        )
    server_keys = load_server_keys(keys) if keys else None
    address = None if compare else publishing_address(bind, fast)
    if address is not None:
        check_address(address, "--bind", binds=True)
        check_exposure(address, is_allowed=server_keys is not None or insecure)
    with interruptible() as stop:
        wait = at_once(stop) if fast or compare else in_its_own_time(SystemClock(), stop)
        played, recognizer = Replay(recording, about, wait), None
        if infers:
            engine_builder = make_engine_builder(stop.is_set, quiet=quiet)
            recognizer = open_recognizer(about, find_bundle(about, bundle, exactly=compare), engine_builder)
        if compare and recognizer:
            console.print(compare_with(played, recognizer))
            return
        on_sent: Callable[[Message], None] = ignore
        with ExitStack() as opened:
            if not quiet:
                on_sent = opened.enter_context(closing(Printer(print_message, stop, waits=fast)))
            publisher = Publisher(address, about.wire_format, as_it_was, on_sent, server_keys)
            opened.callback(publisher.close)
            if not quiet:
                where = f"publishing at {publisher.address}" if publisher.address else "not publishing"
                complaints.print(f"replaying {about.run_spec.session}, {where}")
            if recognizer:
                played.run(recognizer, publisher.publish_each)
            else:
                played.messages(publisher.publish_each)


def compare_with(played: Replay, recognizer: Recognizer) -> str:
    """What came of the comparison; FoalError where something differs by more than the machine explains."""
    tolerance, reason = allowance(played.about, recognizer)
    within = f"floats within {tolerance:g}, since {reason}" if reason else ""
    try:
        result = played.compare(recognizer, tolerance)
    except FoalError as error:
        if type(error) is not FoalError or not reason:
            raise
        near = "what lies that near to a threshold may fall on its other side"
        raise FoalError(f"{error} (compared were {within}; {near})") from error
    if not result.equal:
        raise FoalError(f"nothing to compare: {played.folder} holds no whole message; take another recording")
    counted = f"{result.equal} messages are the same, {result.unrecorded} were not recorded"
    return f"{counted}; {within}" if reason else counted


def allowance(about: RunMetadata, recognizer: Recognizer) -> tuple[float, str | None]:
    """By how much floats may differ from the recorded ones, and why; 0 and None on the machine that recorded them."""
    reason = otherwise(about.machine, here(), about.threads)
    if recognizer.backend.name != about.backend:
        reason = f"it ran on {about.backend}, this is {recognizer.backend.name}"
    if reason is None:
        return 0.0, None
    precisions = {entry.precision for entry in recognizer.manifest.graphs.by_name().values()}
    return FLOATS_ALIKE if precisions == {"fp32"} else LOWER_ALIKE, reason


def as_it_was(message: Message) -> Message:
    """Leaves the recorded times alone."""
    return message


def print_message(message: Message) -> None:
    """One line a message."""
    console.print(show.line(message))


def ignore(_: Message) -> None:
    """Say nothing."""
