"""Stage of the image encoder: it learns faces, with a temporary linear head."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from .. import sampling
from ..config import Config, voices_and_faces
from ..corpora import fer2013
from ..corpora.fer2013 import EMOTIONS, Faces
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


def fit_image_encoder(config: Config, train: Faces, validation: Faces, run: Path) -> NanoImageEncoder:
    """Train the image encoder (stage 1) on every emotion that raters could choose; the labels' columns are checked."""
    torch.manual_seed(config.seed)
    model = ImageClassifier(NanoImageEncoder(config.image_encoder.width), len(EMOTIONS))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    recipe, columns = voices_and_faces(config), fer2013.columns(config.labels)
    images, wanted = faces.crops(train.images, config.video), targets(train, recipe.first_label_share)
    held_out = faces.crops(validation.images, config.video)

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        logits = model(faces.rgb(faces.augment(images[indices], generator)))
        return {"loss": cross_entropy(logits, wanted[indices], label_smoothing=recipe.faces_stage.label_smoothing)}

    def check() -> dict[str, float]:
        logits = torch.cat([model(faces.rgb(part)) for part in held_out.split(CHECK_BATCH)])[:, columns]
        return accuracies(logits, validation, config.labels)

    weights = sampling.capped_class_weights(wanted.argmax(dim=1), columns)
    optimise(make_stage(config, "faces", run), model, weights, loss, check)
    return model.encoder


def targets(found: Faces, first_label_share: float) -> Tensor:
    """Return each face's probabilities of the emotions float32 `[N, 8]`: the raters' votes, and the first label."""
    votes = torch.from_numpy(found.votes)
    first = one_hot(torch.from_numpy(found.first_labels), len(EMOTIONS))
    return torch.lerp(votes / votes.sum(dim=1, keepdim=True), first.float(), first_label_share)


def accuracies(logits: Tensor, found: Faces, labels: Sequence[str]) -> dict[str, float]:
    """Return UA and WA of logits `[N, C]`, by the raters' majority and by the first labels, where those are labels."""
    figures: dict[str, float] = {}
    for name, emotions in (("", found.majority), ("first ", found.first_labels)):
        truth = torch.from_numpy(fer2013.classes(emotions, labels))
        of = truth != fer2013.NONE
        figures |= {f"{name}{figure}": value for figure, value in accuracy(logits[of], truth[of]).items()}
    return figures
