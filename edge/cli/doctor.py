"""Command `foal-edge doctor`: proves a bundle on this device."""

from collections.abc import Iterable
from pathlib import Path

import click
from rich.table import Table

from ..backends.proof import Finding, examine
from ..backends.select import open_backend
from ..bundle.load import load
from ..errors import FoalError, UsageError
from ..models.names import find_bundle_folder
from ..preprocess.detector_choice import choose
from ..preprocess.detectors import open_detector
from ..system.signals import interruptible
from ..system.versions import system, versions
from .engine_builder import make_engine_builder
from .groups import Command, Examples
from .options import DEFAULTS, backend_option, bundle_argument, threads_option
from .terminal import console

EXAMPLES: Examples = (
    ("doctor", "Prove the shipped model on the backend that a run would take."),
    ("doctor my-bundle --backend tensorrt", "Prove another bundle on TensorRT."),
)


@click.command("doctor", cls=Command, examples=EXAMPLES)
@bundle_argument
@backend_option
@threads_option
def doctor_command(bundle: Path, backend: str, threads: int) -> None:
    """Prove a bundle on this device and print times and versions.

    Runs each graph on its golden vectors. Exit status 1 if one differs by more than its tolerance. Without BUNDLE:
    foal-nano.
    """
    loaded = load(find_bundle_folder(bundle))
    with interruptible() as stop:
        opened = open_backend(loaded, backend, threads, make_engine_builder(stop.is_set), must_prove=False)
    if stop.is_set():
        raise click.Abort
    manifest = loaded.manifest
    console.print(f"bundle    {manifest.name} {manifest.version}, {loaded.folder}")
    console.print(f"backend   {opened.backend.name} ({opened.reason})")
    console.print(f"detector  {about_detector()}")
    console.print(f"device    {opened.backend.about}")
    installed = [f"{package} {number}" for package, number in versions().items()]
    console.print(f"versions  {', '.join([system(), *installed])}")
    console.print(findings_table(examine(loaded, opened.backend, opened.proofs)))
    if opened.error:
        raise FoalError(str(opened.error))


def about_detector() -> str:
    """Return which detector of faces a run would take and why, or why it would find none."""
    try:
        chosen = choose(DEFAULTS.detector)
        open_detector(chosen.name)
    except UsageError as error:
        return f"none: {error}"
    return f"{chosen.name} ({chosen.reason})"


def findings_table(findings: Iterable[Finding]) -> Table:
    """Return a table with a row per graph: its distance from the golden outputs, and ms for a batch of one."""
    table = Table()
    for column in ("graph", "precision"):
        table.add_column(column, no_wrap=True)
    for column in ("difference", "tolerance", "ms"):
        table.add_column(column, justify="right")
    table.add_column("")
    for finding in findings:
        proof = finding.proof
        figures = f"{proof.difference:.1e}", f"{proof.tolerance:.1e}", f"{finding.median_ms:.2f}"
        table.add_row(proof.graph, finding.precision, *figures, "ok" if proof.is_within_tolerance else "too far")
    return table
