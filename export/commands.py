"""Commands of the export: bundle, lower, renew, complete, engines, triton, bench."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import click
import torch

from edge.backends.triton.package import missing_client
from edge.bundle import load as bundles
from edge.bundle.manifest import GraphName, Precision
from edge.cli.bench import bench_options, run_benchmark
from edge.cli.engine_builder import make_engine_builder
from edge.cli.options import Seconds
from edge.errors import UsageError
from edge.models.names import find_bundle_folder
from edge.session.config import HOP_S
from edge.system.signals import interruptible
from train import config as configs
from train.checkpoint import load
from train.cli.options import together
from train.config import Config

from . import engines
from .bundle import complete, fp32_bundle, lower, write
from .lower_precision import CALIBRATION_WINDOWS, PrecisionTarget
from .renewal import renew
from .torch_backend import TorchBackend
from .torch_roofline import measure
from .windows import Windows

FOLDER = click.Path(readable=False, path_type=Path)


@click.group()
def main() -> None:
    """Make a bundle from a checkpoint, and engines from a bundle.

    \b
    Example:
      python -m export bundle runs/foal-nano/checkpoint.safetensors -o my-bundle
    """


calibration_options = together(
    click.option("--fold", help="Below fp32, for clips: the fold that was left out in training.  [default: the last]"),
    click.option(
        "--windows",
        type=click.IntRange(1),
        default=500,
        show_default=True,
        help="Below fp32: number of windows to compare.",
    ),
    click.option("--data", type=FOLDER, envvar="FOAL_DATA", help="Below fp32: folder of the corpora [FOAL_DATA]."),
)
"""Options that say what a precision below fp32 is fitted to and compared on."""


@main.command("bundle")
@click.argument("checkpoint", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write the bundle to.")
@click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default="fp32",
    show_default=True,
    help="Number format of the graphs.",
)
@calibration_options
def bundle_command(
    checkpoint: Path, output: Path, precision: Precision, data: Path | None, windows: int, fold: str | None
) -> None:
    """Export a checkpoint's three graphs, compare each with torch, and write the bundle.

    A precision below fp32 is calibrated on training windows, and is written only if it agrees with fp32 on
    validation windows.

    \b
    Example:
      python -m export bundle runs/foal-nano/checkpoint.safetensors -o my-bundle --precision int8
    """
    loaded = load(checkpoint)
    if precision == "fp32":
        write(loaded, output, click.echo)
        return
    write(loaded, output, click.echo, precision_target(loaded.config, precision, data, windows, fold))


def precision_target(
    config: Config, precision: Literal["fp16", "int8"], data: Path | None, windows: int, fold: str | None
) -> PrecisionTarget:
    """Return a precision for all graphs with windows of the corpora; UsageError without these."""
    if data is None:
        raise UsageError(
            f"--precision {precision} needs the corpora that {config.name} was trained on, to be compared "
            "with fp32; give their folder as --data or FOAL_DATA"
        )
    calibration = Windows(config, data, "train", CALIBRATION_WINDOWS, fold)
    return PrecisionTarget(precision, calibration, Windows(config, data, "validation", windows, fold))


@main.command("lower")
@click.argument("bundle", type=FOLDER)
@click.option("--config", type=FOLDER, required=True, help="Configuration that the bundle was trained with.")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write the bundle to.")
@click.option("--precision", type=click.Choice(("fp16", "int8")), required=True, help="Number format of the graphs.")
@click.option(
    "--graph",
    "graphs",
    type=click.Choice(get_args(GraphName)),
    multiple=True,
    help="Graph to convert; may be repeated.  [default: all three]",
)
@calibration_options
def lower_command(
    bundle: Path,
    config: Path,
    output: Path,
    precision: Literal["fp16", "int8"],
    graphs: tuple[GraphName, ...],
    data: Path | None,
    windows: int,
    fold: str | None,
) -> None:
    """Write a bundle in a precision below fp32, without its checkpoint.

    It is calibrated, compared and named as `bundle` does it.

    \b
    Example:
      python -m export lower foal-nano --config configs/nano.yaml -o my-bundle --precision int8 --graph image_encoder
    """
    loaded = configs.load(config)
    source = fp32_bundle(find_bundle_folder(bundle), loaded)
    target = precision_target(loaded, precision, data, windows, fold)
    target = target._replace(graphs=graphs or target.graphs)
    lower(source, loaded, output, click.echo, target)


@main.command("renew")
@click.argument("bundle", type=FOLDER)
@click.option("--config", type=FOLDER, required=True, help="Configuration that the bundle was trained with.")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write to; may be the bundle's own.")
def renew_command(bundle: Path, config: Path, output: Path) -> None:
    """Export a bundle of nano encoders again from the weights in its own graphs, without its checkpoint.

    Its probabilities stay; the graphs, the golden vectors and the texts are those of today.

    \b
    Example:
      python -m export renew my-bundle --config configs/nano.yaml -o my-bundle
    """
    renew(find_bundle_folder(bundle), configs.load(config), output, click.echo)


@main.command("complete")
@click.argument("bundle", type=FOLDER)
def complete_command(bundle: Path) -> None:
    """Add each label's golden probabilities and the video head to a manifest that was exported without them.

    The bundle's labels and temperature are assumed to be right; from then on every start compares its own
    probabilities with these. By its video head a window without audio needs no fusion.

    \b
    Example:
      python -m export complete my-bundle
    """
    complete(bundle)
    click.echo(
        f"{bundle}: its manifest has golden probabilities of each label, and the video head of its fusion if any"
    )


@main.command("engines")
@click.argument("bundle", type=FOLDER)
@click.option("--target", required=True, help="GPUs by compute capability, such as sm86,sm89,sm120.")
def engines_command(bundle: Path, target: str) -> None:
    """Build a bundle's TensorRT-RTX engines for GPUs, which this machine need not have.

    \b
    Example:
      python -m export engines my-bundle --target sm86,sm89,sm120
    """
    targets = engines.make_targets([name.strip() for name in target.split(",")])
    with interruptible() as stop:
        engines.build(bundles.load(bundle), targets, make_engine_builder(stop.is_set))


@main.command("triton")
@click.argument("bundle", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Model repository to write to, new or not.")
@click.option(
    "--platform",
    type=click.Choice(("onnx", "tensorrt")),
    default="onnx",
    show_default=True,
    help="Graphs for the server's ONNX Runtime, or engines of TensorRT for a GPU like the one here.",
)
@click.option(
    "--hop", "hop_s", type=Seconds(0.05, 60), default=HOP_S, show_default=True, help="Hop of the nodes, in seconds."
)
def triton_command(bundle: Path, output: Path, platform: Literal["onnx", "tensorrt"], hop_s: float) -> None:
    """Write a bundle's graphs as models of a Triton Inference Server.

    Requests of several nodes are put together within a hundredth of a hop.

    \b
    Example:
      python -m export triton foal-nano -o models
    """
    try:
        from . import model_repository
    except ModuleNotFoundError as error:
        raise missing_client(error) from error
    loaded = bundles.load(find_bundle_folder(bundle))
    with interruptible() as stop:
        find_engine = partial(engines.find, loaded, make_engine_builder(stop.is_set))
        model_repository.write(loaded, output, platform, hop_s, click.echo, find_engine)


@main.command("bench")
@click.argument("checkpoint", type=FOLDER)
@click.option("--bundle", type=FOLDER, help="Bundle of the checkpoint.  [default: exported now, in fp32]")
@bench_options
def bench_command(checkpoint: Path, bundle: Path | None, threads: int, **options: Any) -> None:
    """Run `foal-edge bench` on a checkpoint's bundle and on the same weights in torch, eager and compiled.

    Compiling takes half a minute for each graph and batch.

    \b
    Example:
      python -m export bench runs/foal-nano/checkpoint.safetensors --streams 1,4
    """
    loaded = load(checkpoint)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as scratch:
        folder = bundle or Path(scratch) / loaded.config.name
        if bundle is None:
            write(loaded, folder, click.echo)
        run_benchmark(
            [bundles.load(folder)],
            lambda _: [TorchBackend(loaded, device, compiled, threads) for compiled in (False, True)],
            partial(measure, device) if device == "cuda" else None,
            threads=threads,
            **options,
        )
