"""Command `foal-edge replay`: plays a recording again, or checks that the same messages come of it."""

from contextlib import ExitStack
from pathlib import Path

import click

from ..clock import SystemClock
from ..errors import FoalError, UsageError
from ..live.recognizer import Recognizer
from ..models.names import find_bundle_folder
from ..recording.compare import FLOATS_ALIKE, LOWER_ALIKE
from ..recording.machine import here, otherwise
from ..recording.metadata import RunMetadata
from ..recording.reader import has_inputs, read_metadata
from ..recording.replay import Replay, at_once, find_bundle, in_its_own_time, open_recognizer
from ..system.signals import interruptible
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, check_address, check_exposure, publishing_address
from ..wire.keys import load_server_keys
from ..wire.messages import Message
from ..wire.publisher import Publisher
from .engine_builder import make_engine_builder
from .groups import Command, Examples
from .lines import print_line, print_notice
from .options import PATH
from .printer import printing_messages
from .screen import showing
from .times import Times

EXAMPLES: Examples = (
    ("replay kept/RUN", "Publish a recorded run again, in its own time."),
    ("replay kept/RUN --compare", "Check that this version predicts the same."),
    ("replay kept/RUN --messages-only --fast --bind tcp://127.0.0.1:6556", "Publish the recorded messages at once."),
)


@click.command("replay", cls=Command, examples=EXAMPLES)
@click.argument("recording", type=PATH)
@click.option("--bundle", type=PATH, help="Folder of the model's bundle, or its name.  [default: the recorded one]")
@click.option(
    "--bind", default=AUTO, help=f"Address to publish at, or off.  [default: {DEFAULT_ADDRESS}; with --fast off]"
)
@click.option("--keys", type=PATH, help="Folder of CURVE keys; only clients with keys may connect.")
@click.option("--insecure", is_flag=True, help="Allow a public address without keys.")
@click.option("--compare", is_flag=True, help="Publish nothing; check that the same messages result.")
@click.option("--messages-only", is_flag=True, help="Publish the messages as they were sent, without the model.")
@click.option("--fast", is_flag=True, help="Play as fast as possible, not in real time.")
@click.option("--quiet", is_flag=True, help="Publish only, print nothing.")
def replay_command(
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
    """Replay a run recorded with --record.

    If audio and video were recorded (--record-media) the model predicts from them again; if not, the messages are
    published as they were sent. --compare is byte for byte on the processor and with the versions that recorded it;
    elsewhere floats may differ a little, and the command says so and why.
    """
    about = read_metadata(recording)
    infers = has_inputs(recording) and not messages_only
    if compare and not infers:
        raise UsageError(
            f"--compare needs audio and video, and no --messages-only: {recording} was recorded "
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
            named = bundle and find_bundle_folder(bundle)
            recognizer = open_recognizer(about, find_bundle(about, named, exactly=compare), engine_builder)
        if compare and recognizer:
            print_line(compare_with(played, recognizer))
            return
        with ExitStack() as opened:
            run_spec = about.run_spec
            times = Times(run_spec.recording_begins_ns())
            show = opened.enter_context(showing(times, shows_latency=not about.fast, as_table=False))
            on_sent = opened.enter_context(printing_messages(show, stop, waits=fast, quiet=quiet))
            publisher = Publisher(address, about.wire_format, keep_times, on_sent, server_keys)
            opened.callback(publisher.close)
            if not quiet:
                where = f"publishing at {publisher.address}" if publisher.address else "not publishing"
                print_notice(f"replaying {about.run_spec.session}, {where}")
            if recognizer:
                played.run(recognizer, publisher.publish_each)
            else:
                played.messages(publisher.publish_each)


def compare_with(played: Replay, recognizer: Recognizer) -> str:
    """Return the result of the comparison; FoalError if messages differ by more than another machine explains."""
    tolerance, reason = allowance(played.about, recognizer)
    within = f"floats within {tolerance:g}, since {reason}" if reason else ""
    try:
        result = played.compare(recognizer, tolerance)
    except FoalError as error:
        if type(error) is not FoalError or not reason:
            raise
        near = "a value that near to a threshold may fall on its other side"
        raise FoalError(f"{error} (compared were {within}; {near})") from error
    if not result.equal:
        raise FoalError(f"nothing to compare: {played.folder} holds no whole message; take another recording")
    counted = f"{result.equal} messages are the same, {result.unrecorded} were not recorded"
    return f"{counted}; {within}" if reason else counted


def allowance(about: RunMetadata, recognizer: Recognizer) -> tuple[float, str | None]:
    """Return the tolerance of floats and its reason; 0 and None on the machine that recorded."""
    reason = otherwise(about.machine, here(), about.threads)
    if recognizer.backend.name != about.backend:
        reason = f"it ran on {about.backend}, this is {recognizer.backend.name}"
    if reason is None:
        return 0.0, None
    precisions = {entry.precision for entry in recognizer.manifest.graphs.by_name().values()}
    return FLOATS_ALIKE if precisions == {"fp32"} else LOWER_ALIKE, reason


def keep_times(message: Message) -> Message:
    """Return a message with its recorded times."""
    return message
