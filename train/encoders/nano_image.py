"""Nano image encoder: a small residual network on face crops.

Dimensions: N frames, H and W their height and width, Dv the embedding's width.
"""

import torch
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)
"""Luma weights of ITU-R BT.601: the corpus of faces is grey, so colour is removed inside the graph."""


class ResidualBlock(nn.Module):
    """Block of two 3 x 3 convolutions and a shortcut (He et al. 2016, with the average-pool shortcut of ResNet-D)."""

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width_in, width_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width_out),
            nn.ReLU(),
            nn.Conv2d(width_out, width_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width_out),
        )
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.AvgPool2d(stride))
        if width_in != width_out:
            self.shortcut.append(nn.Conv2d(width_in, width_out, 1, bias=False))
            self.shortcut.append(nn.BatchNorm2d(width_out))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[N, width_in, H, W]` to `[N, width_out, H / stride, W / stride]`."""
        return torch.relu(self.body(x) + self.shortcut(x))


class NanoImageEncoder(nn.Module):
    """Encoder of uint8 `[N, 64, 64, 3]` RGB to an embedding `[N, Dv]`; 0.5 M parameters at Dv = 128.

    Each crop is made grey and standardised by its own mean and deviation, so that light does not matter. Two strided
    convolutions lead to 16 x 16 places at once: the faces it learns from have 48 x 48 pixels, and finer places take
    most of the time for little.
    """

    luma: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("luma", torch.tensor(LUMA), persistent=False)
        self.stem = nn.Sequential(
            nn.Conv2d(1, 24, 3, 2, 1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.Conv2d(24, 48, 3, 2, 1, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(
            ResidualBlock(48, 48, 1), ResidualBlock(48, 80, 2), ResidualBlock(80, 80, 1), ResidualBlock(80, width, 2)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Map uint8 `[N, H, W, 3]` to `[N, Dv]`."""
        row_luma = self.luma.repeat(frames.shape[2], 1)  # ONNX Runtime multiplies slowly by three numbers at a time
        grey = (frames.float() * row_luma).sum(dim=3)
        mean = grey.mean(dim=(1, 2), keepdim=True)
        deviation = ((grey - mean) ** 2).mean(dim=(1, 2), keepdim=True).sqrt()
        grey = (grey - mean) / (deviation + 1.0)
        return self.blocks(self.stem(grey[:, None])).mean(dim=(2, 3))
