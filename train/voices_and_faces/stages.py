"""The three stages of the recipe, each saved in one file of the run's folder."""

from pathlib import Path
from typing import Literal

from ..config import Config, Schedule, voices_and_faces
from ..stage import Stage, identity

CHECK_BATCH = 64
"""Examples that an encoder's check passes on at once."""


def make_stage(config: Config, name: Literal["faces", "voices", "fusion"], run: Path, inputs: str = "") -> Stage:
    """Return a configuration's stage in the folder `run`; `inputs` identifies the results of earlier stages."""
    chosen = voices_and_faces(config)
    schedule: Schedule = getattr(chosen, f"{name}_stage")
    # How a window is judged by its voice decides nothing of the encoder.
    audio_encoder = {"type": "nano", "width": config.audio_encoder.width}
    speakers = (chosen.voices, chosen.validation_speakers, chosen.test_speakers)
    about = {
        "faces": (config.video, config.image_encoder, chosen.first_label_share),
        "voices": (config.audio, audio_encoder, speakers, chosen.imitation),
        "fusion": (config.fusion, config.objective, config.audio_encoder, chosen.views, speakers, inputs),
    }
    moving = ("moving layers",) if name == "fusion" and chosen.moving_layers else ()
    decides = identity(config.labels, config.seed, schedule, *about[name], *moving)
    return Stage(name, schedule, config.seed, decides, run / f"{name}.safetensors")
