"""Worker of fer on a film, as its own `Video` goes through one: fer_worker.py FILM RATE_HZ TABLE.csv.

It runs in an environment that has the package, but not TensorFlow, which the package imports: the interpreter of its
model is published alone, as LiteRT, and stands in for it. RATE_HZ is the number of frames per second that are analysed,
0 for every frame, which is the package's default. Nothing of this project is imported.
"""

import csv
import sys
import types
from collections.abc import Iterator

import cv2
from ai_edge_litert.interpreter import Interpreter


def stand_in() -> None:
    """Give the package what it uses of TensorFlow under TensorFlow's name."""
    tensorflow, keras, models = (types.ModuleType(name) for name in ("tensorflow", "keras", "models"))
    parts = {"tensorflow": tensorflow, "tensorflow.keras": keras, "tensorflow.keras.models": models}
    tensorflow.lite = types.SimpleNamespace(Interpreter=Interpreter)  # type: ignore[attr-defined]
    models.load_model = None  # type: ignore[attr-defined]
    sys.modules.update(parts)


def frames(film: str, rate_hz: float) -> Iterator[tuple[float, object]]:
    """Yield the times in seconds and the BGR images of the frames that are analysed."""
    capture = cv2.VideoCapture(film)
    slot = -1
    fps = capture.get(cv2.CAP_PROP_FPS)
    number = 0
    while capture.grab():
        time_s = number / fps
        number += 1
        if rate_hz and int(time_s * rate_hz) == slot:
            continue
        slot = int(time_s * rate_hz)
        yield time_s, capture.retrieve()[1]


def run(film: str, rate_hz: float, table: str) -> None:
    """Analyse a film and write a row a face."""
    stand_in()
    cv2.setNumThreads(1)
    from fer.fer import FER

    detector = FER()
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        for time_s, image in frames(film, rate_hz):
            for face in detector.detect_emotions(image):
                writer.writerow([time_s, *face["box"], *face["emotions"].values()])


if __name__ == "__main__":
    run(sys.argv[1], float(sys.argv[2]), sys.argv[3])
