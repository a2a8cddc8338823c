"""WavLM (Chen et al. 2022) as audio encoder, from transformers: its convolutional stem frozen, the rest trained.

Dimensions: B batch, S samples, Ta tokens (one per 320 samples), Da their width.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import WavLMConfig, WavLMModel
from transformers.utils import logging

from edge.errors import UsageError

from ..config import RANDOM, WavLM
from .hub import DAMAGE, check_available, missing

RATE_HZ = 16_000
KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
"""Strides of the convolutional stem of every WavLM; the next two constants follow from kernels and strides."""
FIELD_SAMPLES = 400
"""Receptive field of a token, in samples."""
STEP_SAMPLES = 320
"""Step from one token to the next: 20 ms."""
VARIANCE_FLOOR = 1e-7
"""Constant added to the variance before its root, as in the models' own feature extractor."""
POSITION_GROUPS = 16
"""Groups of the positional convolution."""

FIELD = "audio_encoder.weights"
OUR_NAMES = {
    "hidden_size": "width",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "intermediate_size": "feed_forward",
    "feat_extract_norm": "norm",
    "conv_dim": "stem_width",
}
"""Fields of a model's config.json that decide whether its weights fit, with their names in our configuration."""
FIXED = (
    "model_type",
    "do_stable_layer_norm",
    "conv_kernel",
    "conv_stride",
    "conv_bias",
    "num_conv_pos_embeddings",
    "num_conv_pos_embedding_groups",
    "num_buckets",
    "max_bucket_distance",
    "hidden_act",
    "feat_extract_activation",
    "add_adapter",
)
"""Further fields that must fit: they are the same in all published WavLMs, or follow from `norm`."""


class WavLMEncoder(nn.Module):
    """Encoder of waveforms float32 `[B, S]` at 16 kHz, int64 length `[B]`, to `[B, Ta, Da]` and a mask, bool `[B, Ta]`.

    The values of samples past a length never matter. Their number does with `norm` "group", whose mean and variance
    include the padding; with "layer" it does not.
    """

    def __init__(self, part: WavLM, rate_hz: int, *, pretrained: bool) -> None:
        super().__init__()
        if rate_hz != RATE_HZ:
            raise UsageError(f"sound.rate_hz {rate_hz}: WavLM takes {RATE_HZ}; set it to that")
        self.width = part.width
        self.normalise = part.normalise
        config = wavlm_config(part)
        load = pretrained and part.weights != RANDOM
        self.model = (load_model(part.weights, config) if load else WavLMModel(config)).train()
        self.model.freeze_feature_encoder()
        if part.gradient_checkpointing:
            checkpoint_layers(self.model)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens and mask; tokens past the length are zero and masked. S must be 400 or more."""
        valid = sample_mask(waveform.shape[1], length)
        waveform = standardise(waveform, valid) if self.normalise else waveform * valid
        # A row too short for a token attends to its first one: attention over no token gives not-a-numbers.
        attended = sample_mask(waveform.shape[1], length.clamp(min=FIELD_SAMPLES))
        with quiet_attention():
            tokens = self.model(waveform, attention_mask=attended).last_hidden_state
        mask = token_mask(tokens.shape[1], length)
        return tokens * mask[:, :, None], mask


def sample_mask(samples: int, length: Tensor) -> Tensor:
    """Return bool `[B, samples]`, true before the length, int64 `[B]`."""
    return torch.arange(samples, device=length.device)[None] < length[:, None]


def token_mask(tokens: int, length: Tensor) -> Tensor:
    """Return bool `[B, tokens]`, true for tokens whose receptive field ends before the length, int64 `[B]`."""
    begin = torch.arange(tokens, device=length.device)[None] * STEP_SAMPLES
    return begin + FIELD_SAMPLES <= length[:, None]


def standardise(waveform: Tensor, valid: Tensor) -> Tensor:
    """Return `[B, S]` with mean 0 and variance 1 over the valid samples, bool `[B, S]`, and 0 elsewhere."""
    count = valid.sum(dim=1, keepdim=True).clamp(min=1)
    centred = (waveform - (waveform * valid).sum(dim=1, keepdim=True) / count) * valid
    variance = (centred * centred).sum(dim=1, keepdim=True) / count
    return centred / (variance + VARIANCE_FLOOR).sqrt()


def wavlm_config(part: WavLM) -> WavLMConfig:
    """Return the model's own configuration: dropout as in WavLM-large, neither SpecAugment nor LayerDrop.

    LayerDrop would leave out different layers in each process.
    """
    if part.width % part.heads or part.width % POSITION_GROUPS:
        raise UsageError(f"audio_encoder.width {part.width}: WavLM needs a multiple of heads {part.heads} and of 16")
    return WavLMConfig(
        hidden_size=part.width,
        num_hidden_layers=part.layers,
        num_attention_heads=part.heads,
        intermediate_size=part.feed_forward,
        feat_extract_norm=part.norm,
        do_stable_layer_norm=part.norm == "layer",
        conv_dim=[part.stem_width] * len(KERNELS),
        conv_kernel=list(KERNELS),
        conv_stride=list(STRIDES),
        conv_bias=False,
        num_conv_pos_embedding_groups=POSITION_GROUPS,
        hidden_dropout=0.1,
        attention_dropout=0.1,
        activation_dropout=0.0,
        feat_proj_dropout=0.1,
        layerdrop=0.0,
        apply_spec_augment=False,
        mask_time_prob=0.0,
        mask_feature_prob=0.0,
    )


def load_model(weights: str, config: WavLMConfig) -> WavLMModel:
    """Load the pre-trained model, float32; UsageError if it is unavailable or has other sizes."""
    local = Path(weights).is_dir()
    if not local:
        check_available(weights, ["config.json"], FIELD)
    elif not (Path(weights) / "config.json").is_file():
        raise UsageError(f"{FIELD}: {weights} has no config.json, so it is not a model's folder; name one")
    try:
        found, _ = WavLMConfig.get_config_dict(weights)
        check_sizes(weights, found, config)
        with quiet_loading():
            model, report = WavLMModel.from_pretrained(weights, config=config, output_loading_info=True)
    except DAMAGE as error:
        if local:
            raise UsageError(f"{FIELD}: no WavLM can be read from {weights} ({error}); download it again") from error
        raise missing(weights, FIELD, error) from error
    if report["missing_keys"]:
        lacking = ", ".join(sorted(report["missing_keys"])[:3])
        raise UsageError(f"{FIELD}: {weights} lacks {lacking}, so it is not a whole WavLM; take another")
    return model.float()


def check_sizes(weights: str, found: dict[str, Any], config: WavLMConfig) -> None:
    """Raise UsageError with every field of `found`, a config.json, that differs from `config`."""
    ours, theirs = config.to_dict(), WavLMConfig().to_dict() | found
    differing = [
        f"{OUR_NAMES.get(name, name)} {theirs[name]} where {ours[name]} is expected"
        for name in (*OUR_NAMES, *FIXED)
        if as_list(theirs[name]) != as_list(ours[name])
    ]
    if differing:
        raise UsageError(
            f"{FIELD}: {weights} has {', '.join(differing)}; set audio_encoder's fields to what it has, "
            "or take a WavLM of the sizes that they name"
        )


def as_list(value: object) -> object:
    """Return a tuple as a list, as JSON does; anything else unchanged."""
    return list(value) if isinstance(value, tuple) else value


def checkpoint_layers(model: WavLMModel) -> None:
    """Have the layers recomputed in the backward pass."""
    options = {"use_reentrant": False, "context_fn": lambda: (quiet_attention(), quiet_attention())}
    # transformers renamed it within its version 5.
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable(options)


@contextmanager
def quiet_attention() -> Iterator[None]:
    """Hide torch's warning about a boolean mask beside WavLM's float position bias."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask and attn_mask", UserWarning)
        yield


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Hide transformers' report of unused weights, the vector of SpecAugment; missing ones are checked separately."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
