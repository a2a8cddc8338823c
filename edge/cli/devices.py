"""`foal-edge devices`: which cameras and microphones are there, and how late one's sound is against one's picture."""

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
from ..sync.measure import SETTLING_S, look_through, watch
from ..sync.skew import Skew, measure
from .options import Seconds, audio_track_option, video_track_option
from .terminal import complaints, console

EVERY_FRAME_HZ = 240.0
"""As fast as the grid of frames goes: a measurement leaves none out."""
MEASURED_S = 10.0


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
    said = {name: value for name, value in options.items() if value is not None}
    if measure_sync:
        measure_skew(build(said, StreamConfig, "the command line"), MEASURED_S if seconds is None else seconds)
    elif said or seconds is not None:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in (*said, *(["seconds"] if seconds else [])))
        raise UsageError(f"{named} without --measure-sync; say that too, or neither")
    else:
        list_devices()


def list_devices() -> None:
    """One line a device."""
    for title, option, find in (
        ("cameras", "--camera", found_devices.cameras),
        ("microphones", "--mic", found_devices.microphones),
    ):
        found = find()
        console.print(f"{title}:" if found else f"{title}: none")
        for number, about in found:
            console.print(f"  {option} {number}  {about}")


def measure_skew(config: StreamConfig, seconds: float) -> None:
    """Print the skew of a recording or of two devices, and what mends it."""
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
        evidence = watch(make_devices(config, manifest, clock, Counter()), clock, seconds)
    else:
        evidence = look_through(recording, to_ns(seconds))
    skew = measure(evidence, manifest.audio.rate_hz)
    for line in report(skew, config.av_offset_ms):
        console.print(line)


def report(skew: Skew, av_offset_ms: float) -> list[str]:
    """What was measured, in words, and the option that mends it; `av_offset_ms` was in force meanwhile."""
    side = "later" if skew.skew_ms >= 0 else "earlier"
    return [
        f"sound is {abs(skew.skew_ms):.0f} ms {side} than the picture ({skew.pairs} claps with their flash, "
        f"which differ by {skew.spread_ms:.0f} ms; a frame is {skew.frame_ms:.0f} ms)",
        f"remedy: --av-offset-ms {round(av_offset_ms + skew.av_offset_ms)}",
    ]
