"""Recordings in which nobody speaks, by kind: rooms, streets, taps, animals, impulse responses.

The folder `noise/` holds one folder a source: backgrounds of EmoSpeech (arXiv 1910.13801), ESC-10 (Piczak 2015),
backgrounds of Speech Commands (Warden 2018), and single files. Every second file of a folder is kept for tests, the
others are for training; crying babies, rooms in which somebody speaks and impulse responses are for tests alone.
"""

from collections.abc import Sequence
from pathlib import Path

from .utterance import matching_files

ROOMS = ("emospeech_background/House_*", "emospeech_background/Misc_*", "emospeech_background/webservice_*")
SPOKEN = "rooms, somebody speaks"
KINDS = {
    "rooms": ROOMS,
    SPOKEN: ROOMS,
    "streets and trains": (
        "emospeech_background/Metro_*",
        "emospeech_background/Roads_*",
        "emospeech_background/NearLake_*",
        "misc/bus*",
        "misc/perfect-alley*",
    ),
    "taps on the microphone": ("device_taps/*",),
    "sneezes": ("esc10/Person_sneeze*",),
    "crying babies": ("esc10/Baby_cry*",),
    "miaows": ("speech_commands/*",),
    "animals": ("esc10/Dog_bark*", "esc10/Rooster*"),
    "machines": ("esc10/Chainsaw*", "esc10/Helicopter*"),
    "rain, sea, fire, clocks": ("esc10/Rain*", "esc10/Sea_waves*", "esc10/Fire_crackling*", "esc10/Clock_tick*"),
}
IMPULSE_RESPONSES = "impulse_responses"
BABIES = "Baby_cry"
"""Beginning of the names of recordings that no training hears, and that are in none of its halves."""
ROOMS_WITH_SPEECH = (
    "House_background-safe-calm-20190710195236",
    "House_background-safe-calm-20190710195513",
    "webservice_background-safe-None-1563092536592",
)
"""Beginnings of the names of rooms in which Silero VAD hears half a second of speech and more, of three seconds."""


def of_kind(root: Path, kind: str) -> Sequence[Path]:
    """Return the files of a kind, in the same order everywhere; none without the folder."""
    found = [path for pattern in KINDS[kind] for path in matching_files(root / "noise", pattern)]
    return [path for path in found if path.name.startswith(ROOMS_WITH_SPEECH) == (kind == SPOKEN)]


def held_out(root: Path, kind: str) -> Sequence[Path]:
    """Return the files of a kind that are kept for tests, in the same order everywhere; none without the folder."""
    found = of_kind(root, kind)
    kept = {path for folder in {path.parent for path in found} for path in split(folder)[1]}
    return [path for path in found if path in kept]


def beds(root: Path, *, is_training: bool) -> Sequence[Path]:
    """Return the files without any voice, those for training or those for tests; none without the folder."""
    folders = [folder for folder in sorted((root / "noise").glob("*/")) if folder.name != IMPULSE_RESPONSES]
    parts = [split(folder)[0 if is_training else 1] for folder in folders]
    return [path for part in parts for path in part if not path.name.startswith((BABIES, *ROOMS_WITH_SPEECH))]


def split(folder: Path) -> tuple[Sequence[Path], Sequence[Path]]:
    """Return the files of one source for training and those for tests."""
    found = matching_files(folder, "*.*")
    halved = [path for path in found if not path.name.startswith(BABIES)]
    trained = [path for path in halved[::2] if not path.name.startswith(ROOMS_WITH_SPEECH)]
    return trained, [path for path in found if path not in trained]


def impulse_responses(root: Path) -> Sequence[Path]:
    """Return the files of recorded impulse responses; none without the folder."""
    return matching_files(root / "noise", f"{IMPULSE_RESPONSES}/*")
