"""Small corpora of clips in the layouts of the real ones, with cues of each class in sound and picture.

In each half of a picture, three rows of black and white blocks say the number of the frame.
"""

import wave
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from tests.train.made import PITCHES_HZ, RATE_HZ, tone

FPS = 15
WIDTH, HEIGHT = 72, 48
BLOCK = 8
BLOCKS = 4
"""A row in each half; three rows, so 12 bits of the frame's number."""
CODE_TOP = HEIGHT - 3 * BLOCK
CODES = {"ang": "angry", "hap": "happy", "exc": "happy", "neu": "neutral", "sad": "sad", "fru": "", "xxx": ""}
"""IEMOCAP's; those without a label are left out."""
COLOURS = {"angry": (200, 40, 40), "happy": (220, 200, 40), "neutral": (60, 160, 60), "sad": (40, 60, 200)}
QUIET = (128, 128, 128)
"""The colour of a half whose person is silent or of no class."""
TURN_S = 0.6
PAUSE_S = 0.2
AUDIO_HZ = 44_100
"""The only rate of these that FLV, MP3 and AAC all have."""
HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
RATERS = "C-E2:\tNeutral;\t()\nC-F1:\tAnger;\t(tense)\nA-E3:\tval 3; act 2; dom  2;\t()\n\n"


class Turn(NamedTuple):
    """A turn of a made dialog."""

    name: str
    actor: str
    """F or M."""
    emotion: str
    """As IEMOCAP abbreviates it."""
    begin_s: float
    end_s: float


def iemocap(
    root: Path, sessions: int = 5, dialogs: Sequence[str] = ("F_impro01", "M_impro01"), turns: int = 14
) -> Path:
    """A release of dialogs, named by marked actor and scene; 14 turns have each emotion once from each actor.

    Ten of the fourteen are of the four classes. The half of who speaks has the colour of the class.
    """
    release = root / "IEMOCAP_full_release"
    for number, scene in product(range(1, sessions + 1), dialogs):
        write_dialog(release / f"Session{number}", f"Ses{number:02}{scene}", list(turns_of(number, scene, turns)))
    return release


def turns_of(session: int, scene: str, count: int) -> Iterator[Turn]:
    codes = list(CODES)
    for index in range(count):
        actor = "FM"[index % 2]
        begin_s = round(PAUSE_S + index * (TURN_S + PAUSE_S), 4)
        name = f"Ses{session:02}{scene}_{actor}{index // 2:03}"
        yield Turn(name, actor, codes[index % len(codes)], begin_s, round(begin_s + TURN_S, 4))


def write_dialog(session: Path, dialog: str, turns: Sequence[Turn]) -> None:
    """The evaluation, the sound of each turn and the picture of them all."""
    lines = "".join(
        f"[{turn.begin_s:.4f} - {turn.end_s:.4f}]\t{turn.name}\t{turn.emotion}\t[2.5000, 2.5000, 2.5000]\n{RATERS}"
        for turn in turns
    )
    write_text(session / "dialog" / "EmoEvaluation" / f"{dialog}.txt", HEADER + lines)
    for turn in turns:
        audio = class_tone(CODES[turn.emotion], int(dialog[3:5]) + 5 * "FM".index(turn.actor))
        write_wav(session / "sentences" / "wav" / dialog / f"{turn.name}.wav", audio)
    count = round((turns[-1].end_s + PAUSE_S) * FPS)
    write_video(session / "dialog" / "avi" / "DivX" / f"{dialog}.avi", dialog_pictures(count, turns, marked=dialog[5]))


def dialog_pictures(count: int, turns: Sequence[Turn], marked: str) -> Iterator[np.ndarray]:
    """The marked actor on the left, the other one on the right."""
    for number in range(count):
        halves = [QUIET, QUIET]
        for turn in turns:
            if turn.begin_s <= number / FPS < turn.end_s:
                halves[int(turn.actor != marked)] = COLOURS.get(CODES[turn.emotion], QUIET)
        yield image(number, *halves)


def image(number: int, left: Sequence[int], right: Sequence[int]) -> np.ndarray:
    """uint8 `[48, 72, 3]`: two colours, and the frame's number below each."""
    drawn = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    drawn[:, : WIDTH // 2], drawn[:, WIDTH // 2 :] = left, right
    for bit, begin in product(range(3 * BLOCKS), (0, WIDTH // 2)):
        row, column = divmod(bit, BLOCKS)
        top, side = CODE_TOP + row * BLOCK, begin + column * BLOCK
        drawn[top : top + BLOCK, side : side + BLOCK] = 255 * (number >> bit & 1)
    return drawn


def number_of(seen: np.ndarray) -> int:
    """The number of a frame, of which the whole picture or half of it is seen."""
    corner = seen[CODE_TOP:, : BLOCKS * BLOCK].mean(axis=2)
    blocks = corner.reshape(3, BLOCK, BLOCKS, BLOCK).mean(axis=(1, 3))
    return sum(1 << bit for bit, light in enumerate(blocks.flat) if light > 128)


def crema_d(root: Path, actors: Sequence[str] = ("1001", "1002"), wavs: Sequence[str] = ()) -> Path:
    """One clip of each emotion for each actor, `wavs` with a file of sound beside the clip."""
    for actor, (code, label) in product(actors, {"ANG": "angry", "DIS": "", "HAP": "happy", "SAD": "sad"}.items()):
        name = f"{actor}_DFA_{code}_XX"
        write_clip(root / "CREMA-D" / "VideoFlash" / f"{name}.flv", label)
        if name in wavs:
            write_wav(root / "CREMA-D" / "AudioWAV" / f"{name}.wav", class_tone(label))
    return root / "CREMA-D"


def write_clip(path: Path, label: str, seconds: float = TURN_S) -> Path:
    """A clip with the colour and the tone of a class in the container and the codecs of its kind."""
    colour = COLOURS.get(label, QUIET)
    images = (image(number, colour, colour) for number in range(round(seconds * FPS)))
    return write_video(path, images, audio=class_tone(label, seconds=seconds))


def class_tone(label: str, speaker: int = 0, seconds: float = TURN_S) -> np.ndarray:
    """A tone of the class's pitch, a little higher for each speaker."""
    return tone(PITCHES_HZ.get(label, 300) * (1 + speaker / 100), seconds)


def write_video(
    path: Path,
    images: Iterable[np.ndarray],
    audio: np.ndarray | None = None,
    codec: str | None = None,
    rate: float | Fraction = FPS,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    **options: str,
) -> Path:
    """Pictures of a width and a height and perhaps sound, with a keyframe every second or so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flash = path.suffix == ".flv"
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec or ("flv" if flash else "mpeg4"), rate=Fraction(rate), options=options)
        (video.width, video.height), video.pix_fmt = size, "yuv420p"
        video.bit_rate, video.gop_size = 2_000_000, 12
        track = None if audio is None else container.add_stream("libmp3lame" if flash else "aac", rate=AUDIO_HZ)
        for drawn in images:
            container.mux(video.encode(av.VideoFrame.from_ndarray(drawn, "rgb24")))
        container.mux(video.encode(None))
        if audio is not None and track is not None:
            frame = av.AudioFrame.from_ndarray(audio[None], format="fltp", layout="mono")
            frame.rate = RATE_HZ
            context = track.codec_context
            resampler = av.AudioResampler(context.format, context.layout, AUDIO_HZ, frame_size=context.frame_size)
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


def write_wav(path: Path, audio: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.round(audio * 32767).astype("<i2").tobytes())
    return path


def write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path
