"""Command that tests a bundle in the conditions of real rooms."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
import torch

from edge.bundle.load import SHIPPED
from edge.preprocess.detector_choice import DetectorName
from edge.preprocess.framing import TAUGHT_WITH

from .. import config
from ..field import run as field
from ..field.model import open_model
from ..field.recordings import FieldFold, Recordings
from ..field.results import Results, fingerprint
from ..folders import make_writable
from .options import FOLDER
from .start import command_line


@click.command("field")
@click.argument("model", type=FOLDER, default=SHIPPED)
@click.option("--data", type=FOLDER, envvar="FOAL_DATA", required=True, help="Folder of the corpora [FOAL_DATA].")
@click.option(
    "--config",
    "path",
    type=FOLDER,
    default=Path("configs/nano.yaml"),
    show_default=True,
    help="Configuration that says who was not trained on.",
)
@click.option("--out", "folder", type=FOLDER, default=Path("runs/field"), show_default=True, help="Folder to write to.")
@click.option(
    "--fold",
    type=click.Choice(get_args(FieldFold)),
    default="held-out",
    show_default=True,
    help="Speakers and faces: of the validation, of the test, or of both (held-out).",
)
@click.option(
    "--detector",
    type=click.Choice(get_args(DetectorName)),
    default=TAUGHT_WITH,
    show_default=True,
    help="Detector of the faces.",
)
@click.option("--only", multiple=True, help="Run only what has this in its name; may be repeated and hold wildcards.")
@click.option("--most", type=click.IntRange(4), help="Recordings for each row.  [default: 300, with --quick 24]")
@click.option("--quick", is_flag=True, help="Take few recordings for each row: a look at the model in about a minute.")
@click.option("--seed", type=click.IntRange(0), default=1234, show_default=True, help="Seed of all random draws.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU cores.")
def field_command(
    model: Path,
    data: Path,
    path: Path,
    folder: Path,
    fold: FieldFold,
    detector: DetectorName,
    only: Sequence[str],
    most: int | None,
    quick: bool,
    seed: int,
    threads: int,
) -> None:
    """Test a bundle in the conditions of real rooms: noise, distance, silence, tilted and covered faces, mismatches.

    MODEL is the bundle's folder, by default the shipped one. Recordings are of people that the configuration does not
    train on. After an interruption the same command goes on where it was.

    \b
    Example:
      python -m train field my-bundle --data corpora --quick
    """
    torch.set_num_threads(threads)
    most = most or (field.QUICK if quick else field.USUAL)
    opened = open_model(model, threads, detector)
    make_writable(folder, "--out")
    recordings = Recordings(config.load(path), opened.judge.manifest.labels, data, fold, most, seed)
    settings = {"fold": fold, "detector": detector, "recordings a row": str(most), "seed": str(seed)}
    key = fingerprint(opened.fingerprint, str(path), *settings.values())
    started = Results(opened.title, key, command_line(), settings, {})
    field.run(opened.judge, recordings, most, started, only, folder)
