"""`foal-edge devices`: lists cameras and microphones, and measures the skew between audio and video."""

from collections import Counter
from typing import Any

import click
import msgspec

from ..bundle.load import SHIPPED, load
from ..clock import SystemClock, to_ns
from ..errors import UsageError
from ..session.config import StreamConfig, build, check_stream
from ..session.inputs import make_devices, make_recording
from ..sources import devices as found_devices
from ..sync.observe import SETTLING_S, observe_devices, observe_recording
from ..sync.skew import Skew, measure_skew
from .options import Seconds, audio_track_option, video_track_option
from .terminal import complaints, console

EVERY_FRAME_HZ = 240.0
"""Highest rate of the frame grid, so that a measurement uses all frames."""
MEASURED_S = 10.0
"""Default duration of a measurement."""


@click.command()
@click.option("--measure-sync", is_flag=True, help="Measure how late sound is against picture: clap and flash at once.")
@click.option("--file", help="Measure a recording in place of devices.")
@audio_track_option
@video_track_option
@click.option("--camera", help="Camera to measure, as foal-edge takes it.  [default: 0]")
@click.option("--mic", help="Microphone to measure, as foal-edge takes it.  [default: default]")
@click.option("--av-offset-ms", type=float, help="Measure with this added to the sound's capture times.")
@click.option("--seconds", type=Seconds(1, 120), help=f"How long to measure.  [default: {MEASURED_S:g}]")
def devices(measure_sync: bool, seconds: float | None, **options: Any) -> None:
    """List cameras and microphones, or measure the skew between one's picture and one's sound."""
    given = {name: value for name, value in options.items() if value is not None}
    if measure_sync:
        print_skew(build(given, StreamConfig, "the command line"), MEASURED_S if seconds is None else seconds)
    elif given or seconds is not None:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in (*given, *(["seconds"] if seconds else [])))
        raise UsageError(f"{named} without --measure-sync; add it, or leave these options out")
    else:
        list_devices()


def list_devices() -> None:
    """Print each camera and microphone with the option that selects it."""
    for title, option, find in (
        ("cameras", "--camera", found_devices.list_cameras),
        ("microphones", "--mic", found_devices.list_microphones),
    ):
        found = find()
        console.print(f"{title}:" if found else f"{title}: none")
        for number, about in found:
            console.print(f"  {option} {number}  {about}")


def print_skew(config: StreamConfig, seconds: float) -> None:
    """Print the skew of a recording or of two devices, and the option that compensates it."""
    if not (config.wants_video and config.wants_audio):
        raise UsageError("--measure-sync compares sound with picture; give a camera and a microphone that are not off")
    check_stream(config)
    manifest = load(SHIPPED).manifest
    video = msgspec.structs.replace(manifest.video, rate_hz=EVERY_FRAME_HZ)
    manifest = msgspec.structs.replace(manifest, video=video)
    recording = make_recording(config, manifest)
    if recording is None:
        clock = SystemClock()
        complaints.print(f"clap and flash at once, every two seconds, for {SETTLING_S + seconds:g} s")
        detector = observe_devices(make_devices(config, manifest, clock, Counter()), clock, seconds)
    else:
        detector = observe_recording(recording, to_ns(seconds))
    skew = measure_skew(detector, manifest.audio.rate_hz)
    for line in report(skew, config.av_offset_ms):
        console.print(line)


def report(skew: Skew, av_offset_ms: float) -> list[str]:
    """Return lines with the skew and the option that compensates it, measured with `av_offset_ms` applied."""
    side = "later" if skew.skew_ms >= 0 else "earlier"
    return [
        f"sound is {abs(skew.skew_ms):.0f} ms {side} than the picture ({skew.pairs} claps with their flash, "
        f"which differ by {skew.spread_ms:.0f} ms; a frame is {skew.frame_ms:.0f} ms)",
        f"remedy: --av-offset-ms {round(av_offset_ms + skew.av_offset_ms)}",
    ]
