"""Face crops for the image encoder: resized by the runtime's code, augmented in training as a camera spoils them.

Dimensions: N faces, H and W the height and width of the encoder's input.
"""

import numpy as np
import torch
from torch import Tensor

from edge.bundle.manifest import VideoSpec
from edge.preprocess.images import resize

from .face_camera import compress, light, resolve, sense
from .face_cover import cover
from .face_pose import turn


def crops(images: np.ndarray, video: VideoSpec) -> Tensor:
    """Resize grey uint8 `[N, h, w]` to uint8 `[N, H, W]`, as the runtime resizes a crop."""
    return torch.from_numpy(np.stack([resize(image, video.height, video.width) for image in images]))


def rgb(grey: Tensor) -> Tensor:
    """Repeat grey `[N, H, W]` to `[N, H, W, 3]`, the input of an image encoder."""
    return grey[..., None].expand(*grey.shape, 3)


def augment(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Augment uint8 `[N, H, W]` in the order of the world: cover, turn, light, lens, sensor, coder."""
    x = turn(cover(grey.float(), generator), generator)
    x = resolve(light(x, generator), generator)
    return compress(sense(x, generator), generator)
