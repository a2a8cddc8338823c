"""The recognizer in Python, cell by cell: a film as a table, one window from arrays, a live run.

Run it as it is, or open it in an editor that runs `# %%` cells: python examples/in_python.py [FILM]
"""

# %% One model for everything that follows. It runs on this machine alone.
import sys
import tempfile
from pathlib import Path

from foal_edge import Recognizer

recognizer = Recognizer(hop_s=0.5)
print(recognizer.about, recognizer.labels)

# %% A film: the one that is given, or one that is made here, with a drawn face and a synthesised voice.
from foal_edge.bench.recording import write

film = Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.mkdtemp()) / "film.mp4"
if not film.exists():
    write(film, seconds=4)

# %% A row per window.
annotation = recognizer.annotate(film)
for row in annotation.rows:
    print(f"{row.end_s:5.1f} s  {row.label:<8} {row.confidence:4.0%}  steady: {row.steady_label}  {row.audio}")

# %% The share of time of each steady label; `annotation.to_pandas()` gives the whole table where pandas is installed.
for label in sorted({row.steady_label for row in annotation.rows}):
    share = sum(row.steady_label == label for row in annotation.rows) / len(annotation.rows)
    print(f"{label:<10} {share:4.0%}")

# %% One window from arrays: frames of uint8 RGB at 5 a second, samples of float32 mono at 16 kHz.
from foal_edge.sources.demo import MOODS, face, voice

mood = MOODS[1]
seconds = 2
row = recognizer.predict(
    frames=[face(mood)] * round(seconds * recognizer.video_rate_hz),
    samples=voice(mood, recognizer.audio_rate_hz)[: seconds * recognizer.audio_rate_hz],
)
print(row.label, {label: round(probability, 3) for label, probability in row.probs.items()})

# %% A live run, here of the built-in demo: `recognizer.live(camera="0", mic="default")` takes devices.
from foal_edge.messages import Prediction

with recognizer.live(demo=True) as messages:
    for message in messages:
        if isinstance(message, Prediction):
            print(message.label, message.confidence)
            if message.seq == 2:
                break
