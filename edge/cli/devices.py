"""Command `foal-edge devices`: lists cameras and microphones, and measures the skew between audio and video."""

from collections import Counter
from typing import Any

import click
import msgspec

from ..bundle.load import SHIPPED, load
from ..clock import SystemClock, to_ns
from ..errors import UsageError
from ..session.config import StreamConfig, build, check_stream
from ..session.inputs import make_devices, make_recording
from ..sync.observe import SETTLING_S, observe_devices, observe_recording
from ..sync.skew import Skew, measure_skew
from .device_list import device_lines
from .groups import Command, Examples
from .lines import print_line, print_notice
from .options import Seconds, audio_track_option, video_track_option

EVERY_FRAME_HZ = 240.0
"""Highest rate of the frame grid, so that a measurement uses all frames."""
MEASURED_S = 10.0
"""Default duration of a measurement."""
STREAM = StreamConfig()
EXAMPLES: Examples = (
    ("devices", "List cameras and microphones as --camera and --mic take them, and try each."),
    ("devices --measure-sync --camera 1", "Measure the skew of camera 1 and the default microphone: clap and flash."),
    ("devices --measure-sync --file claps.mp4", "Measure the skew of a recording."),
)


@click.command("devices", cls=Command, examples=EXAMPLES)
@click.option("--list", "list_only", is_flag=True, help="List the devices without trying them.")
@click.option("--measure-sync", is_flag=True, help="Measure how late audio is against video: clap and flash at once.")
@click.option("--file", help="Recording to measure in place of devices.")
@audio_track_option
@video_track_option
@click.option("--camera", help="Camera to measure, as foal-edge takes it.  [default: the first one]")
@click.option("--mic", help=f"Microphone to measure, as foal-edge takes it.  [default: {STREAM.mic}]")
@click.option("--av-offset-ms", type=float, help="Milliseconds to add to the capture times of the audio meanwhile.")
@click.option("--seconds", type=Seconds(1, 120), help=f"Duration of the measurement.  [default: {MEASURED_S:g}]")
def devices_command(list_only: bool, measure_sync: bool, seconds: float | None, **options: Any) -> None:
    """List cameras and microphones, or measure their skew.

    Each device of the list is tried for a moment: the size of a camera's frame and a microphone's level are shown.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if measure_sync:
        print_skew(build(given, StreamConfig, "the command line"), MEASURED_S if seconds is None else seconds)
    elif given or seconds is not None:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in (*given, *(["seconds"] if seconds else [])))
        raise UsageError(f"{named} without --measure-sync; add it, or leave these options out")
    else:
        for line in device_lines(tries=not list_only):
            print_line(line)


def print_skew(config: StreamConfig, seconds: float) -> None:
    """Print the skew of a recording or of two devices, and the option that compensates it."""
    if not (config.wants_video and config.wants_audio):
        raise UsageError("--measure-sync compares audio with video; give a camera and a microphone that are not off")
    check_stream(config)
    manifest = load(SHIPPED).manifest
    video = msgspec.structs.replace(manifest.video, rate_hz=EVERY_FRAME_HZ)
    manifest = msgspec.structs.replace(manifest, video=video)
    recording = make_recording(config, manifest)
    if recording is None:
        clock = SystemClock()
        print_notice(f"clap and flash at once, every two seconds, for {SETTLING_S + seconds:g} s")
        detector = observe_devices(make_devices(config, manifest, clock, Counter()), clock, seconds)
    else:
        detector = observe_recording(recording, to_ns(seconds))
    skew = measure_skew(detector, manifest.audio.rate_hz)
    for line in report(skew, config.av_offset_ms):
        print_line(line)


def report(skew: Skew, av_offset_ms: float) -> list[str]:
    """Return lines with the skew and the option that compensates it, measured with `av_offset_ms` applied."""
    side = "later" if skew.skew_ms >= 0 else "earlier"
    return [
        f"audio is {abs(skew.skew_ms):.0f} ms {side} than the video ({skew.pairs} claps with their flash, "
        f"which differ by {skew.spread_ms:.0f} ms; a frame is {skew.frame_ms:.0f} ms)",
        f"remedy: --av-offset-ms {round(av_offset_ms + skew.av_offset_ms)}",
    ]
