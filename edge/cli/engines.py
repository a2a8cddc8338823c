"""Command `foal-edge engines build`: builds the TensorRT engines of a bundle."""

from pathlib import Path

import click

from ..backends.select import open_backend
from ..backends.tensorrt.builder import targets_for
from ..backends.tensorrt.platform import find_gpu, find_tensorrt
from ..bundle.load import load
from ..models.names import find_bundle_folder
from ..system.signals import interruptible
from .engine_builder import make_engine_builder
from .groups import Command, Examples, Group
from .options import bundle_argument
from .terminal import console

EXAMPLES: Examples = (
    ("engines build", "Build the engines of the shipped model for this machine's GPU."),
    ("engines build my-bundle --again", "Build those of another bundle, even if they exist."),
)


@click.group("engines", cls=Group, examples=EXAMPLES)
def engines_command() -> None:
    """Build the TensorRT engines of a bundle."""


@engines_command.command("build", cls=Command, examples=EXAMPLES)
@bundle_argument
@click.option("--again", is_flag=True, help="Build engines again that exist.")
def build_command(bundle: Path, again: bool) -> None:
    """Build a bundle's engines for this machine's GPU, and prove them on the golden vectors.

    The first run with --backend tensorrt does the same. Without BUNDLE: foal-nano.
    """
    loaded = load(find_bundle_folder(bundle))
    target = targets_for(find_tensorrt(), find_gpu())[0]
    with interruptible() as stop:
        engine_builder = make_engine_builder(stop.is_set)
        if again and not loaded.manifest.is_quantized:
            for graph in loaded.manifest.graphs.by_name():
                engine_builder.build(loaded, graph, target, "asked for again", again=True)
        backend = open_backend(loaded, "tensorrt", 0, engine_builder).backend
    console.print(f"{loaded.manifest.name} {loaded.manifest.version} runs on {backend.name}, {backend.about}")
