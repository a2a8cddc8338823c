"""Golden probabilities of each label, for a bundle that was exported before its manifest had them."""

from pathlib import Path

import msgspec
import torch

from edge.bundle import golden
from edge.bundle import load as bundles

from .bundle import check_on_cpu, golden_probabilities, write_manifest


def complete(folder: Path) -> None:
    """Write golden probabilities into a bundle that was exported without, by the labels and temperature that it has."""
    bundle = bundles.load(folder)
    check_on_cpu(bundle)
    manifest, logits = bundle.manifest, torch.from_numpy(golden.load(bundle)["fusion"]["logits"])
    found = golden_probabilities(manifest.labels, logits, manifest.temperature)
    write_manifest(msgspec.structs.replace(manifest, golden_probabilities=found), folder)
