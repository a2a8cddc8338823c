"""Model that is tested: a bundle on ONNX Runtime."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import cv2

from edge.backends.onnxruntime import OrtBackend
from edge.backends.registry import get_entry
from edge.backends.select import check_golden
from edge.bundle import load as bundles
from edge.errors import UsageError
from edge.preprocess.detector_choice import DetectorName
from edge.preprocess.detectors import open_detector

from .judge import Judge


class Model(NamedTuple):
    """Model that judges, with its name and a fingerprint of its weights."""

    judge: Judge
    title: str
    fingerprint: str


def open_model(path: Path, threads: int, detector: DetectorName) -> Model:
    """Open a bundle's folder on so many cores; UsageError where it is none, BundleError where it is damaged."""
    if not path.is_dir():
        raise UsageError(
            f"{path} is no bundle's folder; python -m export bundle {path} -o my-bundle makes one of a checkpoint"
        )
    open_detector(detector)  # before anything is judged: it says where it is not installed
    cv2.setNumThreads(threads)
    bundle = bundles.load(path)
    opened = check_golden(
        get_entry("onnxruntime"), bundle, OrtBackend(bundle, threads), "for the field test", must_prove=True
    )
    manifest = bundle.manifest
    fingerprint = hashlib.sha256((path / bundles.MANIFEST).read_bytes()).hexdigest()
    return Model(Judge(manifest, opened.backend, detector), f"{manifest.name} {manifest.version}", fingerprint)
