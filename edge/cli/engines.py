"""The commands that look after a device: `foal-edge engines build` and `foal-edge doctor`."""

from pathlib import Path

import click

from ..backends.proof import examine
from ..backends.select import open_backend
from ..backends.tensorrt.builder import targets_for
from ..backends.tensorrt.platform import find_gpu, find_tensorrt
from ..bundle.load import SHIPPED, load
from ..errors import FoalError
from ..system.signals import interruptible
from ..system.versions import system, versions
from . import tables as show
from .options import backend_option, make_engine_builder, threads_option
from .terminal import console

bundle_argument = click.argument("bundle", type=click.Path(readable=False, path_type=Path), default=SHIPPED)


@click.group()
def engines() -> None:
    """TensorRT engines of a bundle."""


@engines.command()
@bundle_argument
@click.option("--again", is_flag=True, help="Build anew what is there already.")
def build(bundle: Path, again: bool) -> None:
    """Build a bundle's engines for this machine's GPU, and prove them on the golden vectors.

    The first run with --backend tensorrt does the same. Without BUNDLE: foal-nano.
    """
    loaded = load(bundle)
    target = targets_for(find_tensorrt(), find_gpu())[0]
    with interruptible() as stop:
        engine_builder = make_engine_builder(stop.is_set)
        if again and not loaded.manifest.is_quantized:
            for graph in loaded.manifest.graphs.by_name():
                engine_builder.build(loaded, graph, target, "asked for again", again=True)
        backend = open_backend(loaded, "tensorrt", 0, engine_builder).backend
    about = f"{loaded.manifest.name} {loaded.manifest.version} runs on {backend.name}, {backend.about}"
    console.print(about)


@click.command()
@bundle_argument
@backend_option
@threads_option
def doctor(bundle: Path, backend: str, threads: int) -> None:
    """Run a bundle's golden vectors on this device: differences, times, versions.

    Exit status 1 where a graph differs by more than its tolerance. Without BUNDLE: foal-nano.
    """
    loaded = load(bundle)
    with interruptible() as stop:
        opened = open_backend(loaded, backend, threads, make_engine_builder(stop.is_set), must_prove=False)
    if stop.is_set():
        raise click.Abort
    manifest = loaded.manifest
    console.print(f"bundle    {manifest.name} {manifest.version}, {loaded.folder}")
    console.print(f"backend   {opened.backend.name} ({opened.reason})")
    console.print(f"device    {opened.backend.about}")
    found = [f"{package} {number}" for package, number in versions().items()]
    console.print(f"versions  {', '.join([system(), *found])}")
    console.print(show.findings_table(examine(loaded, opened.backend, opened.proofs)))
    if opened.error:
        raise FoalError(str(opened.error))
