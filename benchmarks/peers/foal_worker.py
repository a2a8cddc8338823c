"""Worker of a shipped bundle on cut-out faces: python -m benchmarks.peers.foal_worker BUNDLE JOB.json ANSWER.json.

A face is a window of one frame without audio, through the runtime's own recogniser: image encoder, then fusion.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np

from edge.backends.select import open_backend
from edge.bundle.load import load
from edge.cli.engine_builder import make_engine_builder
from edge.live.recognizer import Recognizer
from edge.models.names import find_bundle_folder
from edge.preprocess.images import Image, resize
from edge.preprocess.media import Embedding, Samples

from .job import Answer, Job, read_faces

NO_AUDIO = np.zeros(0, np.float32)


class OneFace(NamedTuple):
    """Window of one frame."""

    embeddings: Embedding
    """float32 `[1, Dv]`."""
    samples: Samples = NO_AUDIO
    tokens: None = None


class Classifier:
    """Bundle that classifies faces one by one, on one thread."""

    def __init__(self, bundle: str) -> None:
        loaded = load(find_bundle_folder(Path(bundle)))
        opened = open_backend(loaded, "onnxruntime", 1, make_engine_builder(lambda: False, quiet=True))
        self._recognizer = Recognizer(loaded.manifest, opened.backend)
        self.labels = loaded.manifest.labels
        graphs = loaded.manifest.graphs
        files = (*graphs.image_encoder.files, *graphs.fusion.files)
        self.weights_bytes = sum(loaded.path(file).stat().st_size for file in files)

    def embed(self, face: Image) -> Embedding:
        """Return the embedding float32 `[1, Dv]` of a grey face uint8 `[H, W]`."""
        video = self._recognizer.manifest.video
        crop = np.repeat(resize(face, video.height, video.width)[..., None], 3, axis=2)
        return self._recognizer.embed([crop])

    def __call__(self, face: Image) -> list[float]:
        """Return the probabilities `[C]` of a grey face uint8 `[H, W]`."""
        probs: list[float] = self._recognizer.recognize([OneFace(self.embed(face))])[0].probs.tolist()
        return probs


def run(bundle: str, job_file: Path, answer_file: Path) -> None:
    """Do a job: say when the first face is classified, time some, and classify all where the job asks for it."""
    cv2.setNumThreads(1)
    job = msgspec.json.decode(job_file.read_bytes(), type=Job)
    classify, faces = Classifier(bundle), [read_faces(part) for part in job.sets]
    classify(faces[0][0])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for index in range(job.warm_up):
        classify(faces[0][index % len(faces[0])])
    started_s = time.process_time()
    for index in range(job.timed):
        classify(faces[0][index % len(faces[0])])
    classified_s = time.process_time()
    for index in range(job.timed):
        classify.embed(faces[0][index % len(faces[0])])
    encoded_s = time.process_time()
    answer = Answer(
        labels=list(classify.labels),
        probs=[[classify(face) for face in part] for part in faces] if job.classify else [],
        cpu_ms=(classified_s - started_s) * 1e3 / job.timed,
        encoder_cpu_ms=(encoded_s - classified_s) * 1e3 / job.timed,
        weights_bytes=classify.weights_bytes,
    )
    answer_file.write_bytes(msgspec.json.encode(answer))


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
