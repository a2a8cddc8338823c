"""Stage of the image encoder: it learns faces, with a temporary linear head."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .. import sampling
from ..config import Config, voices_and_faces
from ..encoders.nano_image import NanoImageEncoder
from ..figures import accuracy
from ..optimise import optimise
from . import faces
from .stages import CHECK_BATCH, make_stage


class ImageClassifier(nn.Module):
    """Image encoder with a linear head."""

    def __init__(self, encoder: NanoImageEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """Map uint8 `[N, H, W, 3]` to logits `[N, C]`."""
        return self.head(self.encoder(frames))


def fit_image_encoder(
    config: Config, train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], run: Path
) -> NanoImageEncoder:
    """Train the image encoder (stage 1) on crops uint8 `[N, H, W]` and labels `[N]`."""
    torch.manual_seed(config.seed)
    model = ImageClassifier(NanoImageEncoder(config.image_encoder.width), len(config.labels))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = train
    weights, smoothing = sampling.class_weights(labels), voices_and_faces(config).faces_stage.label_smoothing

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        logits = model(faces.rgb(faces.augment(images[indices], generator)))
        return {"loss": cross_entropy(logits, labels[indices], label_smoothing=smoothing)}

    def check() -> dict[str, float]:
        logits = torch.cat([model(faces.rgb(part)) for part in validation[0].split(CHECK_BATCH)])
        return accuracy(logits, validation[1])

    optimise(make_stage(config, "faces", run), model, weights, loss, check)
    return model.encoder
