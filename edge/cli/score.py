"""Command `foal-edge score`: predicts labelled clips and prints how many are right."""

from collections import Counter
from functools import partial
from pathlib import Path

import click
from rich.progress import track

from ..bundle.load import load
from ..bundle.manifest import FramingName
from ..errors import SourceError, UsageError
from ..evaluation.answers import AnswerReport, write_csv, write_json
from ..evaluation.score import read_table, score
from ..evaluation.tables import accuracy_table, confusion_table
from ..models.names import find_bundle_folder
from ..preprocess.detector_choice import DetectorChoice
from ..preprocess.framing import make_framing
from ..session.config import Config
from ..session.model import open_model
from ..sources.track_selection import TrackNumbers
from ..system.files import check_folder_of
from ..system.signals import interruptible
from .engine_builder import make_engine_builder
from .groups import Command, Examples
from .options import (
    DEFAULTS,
    PATH,
    audio_track_option,
    backend_option,
    bundle_option,
    detector_option,
    framing_option,
    no_audio_option,
    no_video_option,
    threads_option,
    video_track_option,
)
from .terminal import complaints, console

EXAMPLES: Examples = (
    ("score clips.csv", "Score the shipped model on the clips of a table."),
    ("score stills.csv --no-audio --framing whole", "Score it on images without looking for faces."),
    ("score clips.csv --skip-unknown-labels --csv answers.csv", "Write each clip's answer, too."),
    ("score clips.csv --bundle my-bundle --backend onnxruntime", "Score another bundle on the CPU."),
)


@click.command("score", cls=Command, examples=EXAMPLES)
@click.argument("table", type=PATH, metavar="TABLE.csv")
@bundle_option
@framing_option
@detector_option
@backend_option
@threads_option
@audio_track_option
@video_track_option
@no_audio_option
@no_video_option
@click.option("--skip-unknown-labels", is_flag=True, help="Leave out clips whose label the bundle does not have.")
@click.option("--csv", "csv_file", type=PATH, help="Write each clip's answer into this file, a row each.")
@click.option("--json", "json_file", type=PATH, help="Write the figures and each clip's answer into this file.")
def score_command(
    table: Path,
    bundle: Path,
    framing: FramingName | None,
    detector: DetectorChoice | None,
    backend: str,
    threads: int,
    audio_track: int | None,
    video_track: int | None,
    no_audio: bool,
    no_video: bool,
    skip_unknown_labels: bool,
    csv_file: Path | None,
    json_file: Path | None,
) -> None:
    """Predict labelled clips and print how many are right.

    TABLE.csv has the columns path and label, and a row per clip or still image; paths are relative to it. Common other
    names of columns (file, emotion) and labels (anger, ANG, joy) are known.

    UA is the unweighted mean of the recalls of the labels, WA the share of clips that are right, ECE the expected
    calibration error: how far confidence is from the share that is right.
    """
    if no_audio and no_video:
        raise UsageError("--no-audio and --no-video leave nothing to go by; give one of them")
    for path in filter(None, (csv_file, json_file)):
        check_folder_of(path)
    loaded = load(find_bundle_folder(bundle))
    manifest = loaded.manifest
    skipped = Counter[str]()
    clips = read_table(table, manifest.labels, skipped if skip_unknown_labels else None)
    settings = Config(framing=framing, detector=detector or DEFAULTS.detector, backend=backend, threads=threads)
    with interruptible() as stop:
        model = open_model(settings, loaded, make_engine_builder(stop.is_set))
    if stop.is_set():
        raise click.Abort
    complaints.print(model.about)
    result = score(
        track(clips, "predicting", console=complaints, transient=True),
        model.recognizer,
        partial(make_framing, model.framing, manifest.video.height, manifest.video.width, model.detector),
        audio=not no_audio,
        video=not no_video,
        numbers=TrackNumbers(audio_track, video_track),
    )
    report = AnswerReport(model.name, model.recognizer.backend.name, manifest.labels, result.accuracy, result.answers)
    if csv_file:
        write_csv(report, csv_file)
    if json_file:
        write_json(report, json_file)
    if result.accuracy is not None:
        console.print(accuracy_table({table.name: result.accuracy}))
        console.print(confusion_table(table.name, manifest.labels, result.accuracy))
    if result.uncertain:
        console.print(
            f"{result.uncertain} of {len(clips)} clips have neither speech nor a face: uncertain, counted as wrong"
        )
    if skipped:
        counts = ", ".join(f"{label} ({count})" for label, count in skipped.items())
        console.print(f"clips left out, as the bundle does not have their labels: {counts}")
    if result.failed:
        listed = "\n".join(f"  {reason}" for reason in result.failed)
        raise SourceError(f"{len(result.failed)} of {len(clips)} clips could not be predicted:\n{listed}")
