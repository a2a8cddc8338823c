"""Conversion of checkpoints of the authors' code: names are translated, sizes are read from the tensors.

The published network is one module: `wavlm.*` as transformers names it, and the fusion. There the attention of a layer
is no module of its own, and the learned number of AVEL is called `temp`; it divides, where ours multiplies by its
exponential, so training that goes on from such weights wants `objective.temperature: divides`.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import torch
from torch import Tensor, nn

from edge.errors import UsageError
from edge.system.files import check_file, is_there

from .checkpoint import Checkpoint, make_fusion, save
from .config import RANDOM, Config, WavLM
from .encoders import build
from .foalnet import FoalNet
from .fusion import Fusion
from .tensors import read_tensors

AUDIO_ENCODER = "wavlm."
HEADS = 4
"""Heads of the cross-attention, which no tensor shows."""
LABELS = ["happy", "neutral", "sad", "angry"]
"""Labels in the order of the published logits."""
LINES_SHOWN = 4
"""Number of lines shown of torch's own list of errors."""
SIZES = ("width", "layers", "heads", "feed_forward", "norm", "stem_width", "normalise")
"""Fields of an audio encoder that decide whether weights fit it and mean the same in it."""
UNUSED = {"masked_spec_embed"}
"""WavLM's tensors that are left out: the vector of SpecAugment."""


def load(state: Mapping[str, Tensor], heads: int = HEADS) -> FoalNet:
    """Build a Foal-Net in evaluation mode from published weights, its logits in their order, without an image encoder.

    Without a `wavlm.` part it has no audio encoder either. UsageError names what does not fit.
    """
    audio_tensors = audio_encoder_tensors(state)
    fusion_tensors = {our_name(name): part for name, part in state.items() if not name.startswith(AUDIO_ENCODER)}
    return FoalNet(
        load_audio_encoder(audio_tensors) if audio_tensors else None, None, load_fusion(fusion_tensors, heads)
    ).eval()


def convert(source: Path, config: Config, output: Path) -> None:
    """Write a checkpoint of this project; encoders that the source lacks are the configuration's pre-trained ones."""
    state = read(source)
    model = load(state, config.fusion.heads)
    expected = {name: part.shape for name, part in make_fusion(config).state_dict().items()}
    if {name: part.shape for name, part in model.fusion.state_dict().items()} != expected:
        raise UsageError(f"the fusion in {source} has other sizes than {config.name}'s; give the --config of its sizes")
    if config.labels != LABELS:
        raise UsageError(f"{config.name} has labels {config.labels}; the published logits are {LABELS}: list them so")
    if model.audio_encoder is None:
        model.audio_encoder = build.audio_encoder(config, pretrained=True)
    else:
        check_audio_encoder(source, audio_encoder_sizes(audio_encoder_tensors(state)), config)
    model.image_encoder = build.image_encoder(config, pretrained=True)
    save(output, Checkpoint(model, config, temperature=1.0, measured={}))


def check_audio_encoder(source: Path, found: WavLM, config: Config) -> None:
    """Raise UsageError naming the fields in which the configuration's audio encoder differs."""
    asked, here = (msgspec.structs.asdict(part) for part in (config.audio_encoder, found))
    differing = [f"{name} {here[name]}" for name in SIZES if asked.get(name) != here[name]]
    if differing:
        raise UsageError(
            f"the audio encoder in {source} has {', '.join(differing)}; set audio_encoder so in the --config"
        )


def read(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, or of a file written by torch; nothing but tensors is read."""
    if not is_there(path) or path.is_dir():
        raise UsageError(f"no checkpoint at {path}; give the authors' file, .safetensors or as torch saves it")
    check_file(path, "give a checkpoint")
    if path.suffix == ".safetensors":
        state, _ = read_tensors(path)
    else:
        state = read_torch(path)
    # Distributed training wraps the whole network in one more module.
    return {name.removeprefix("module."): part for name, part in state.items()}


def read_torch(path: Path) -> dict[str, Tensor]:
    """Read the named tensors that torch.save wrote; UsageError if there is anything else. No code is run."""
    refusal = f"{path} holds more than tensors, or is damaged; save its state_dict, best as safetensors"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file makes torch raise is of many kinds
        raise UsageError(refusal) from error
    if not isinstance(state, dict) or not all(isinstance(item, Tensor) for item in state.values()):
        raise UsageError(refusal)
    return {str(name): part for name, part in state.items()}


def our_name(name: str) -> str:
    """Return this project's name of a tensor of the published fusion."""
    if name == "temp":
        return "log_scale"
    return re.sub(r"^([av]2[av]\.\d+)\.(w_\w+)", r"\1.attention.\2", name)


def audio_encoder_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of the audio encoder, as transformers names them in its own files."""
    return {name.removeprefix(AUDIO_ENCODER): part for name, part in state.items() if name.startswith(AUDIO_ENCODER)}


def load_fusion(state: Mapping[str, Tensor], heads: int) -> Fusion:
    """Build the fusion, of the sizes of its tensors."""
    try:
        fusion = Fusion(
            audio_width=state["a2v_head.weight"].shape[1],
            video_width=state["v2a_head.weight"].shape[1],
            classes=state["cls_head.weight"].shape[0],
            embedding_width=state["audio_project.linear1.weight"].shape[0],
            heads=heads,
            layers=len({name.split(".")[1] for name in state if name.startswith("a2v.")}),
        )
    except KeyError as error:
        raise UsageError(f"this is not a checkpoint of Foal-Net: it has no {error.args[0]}") from error
    except (IndexError, ValueError) as error:
        raise UsageError(f"the published fusion does not fit {heads} heads, or its own parts ({error})") from error
    load_tensors(fusion, state, "fusion")
    return fusion


def load_audio_encoder(state: Mapping[str, Tensor]) -> nn.Module:
    """Build the audio encoder, of the sizes of its tensors."""
    # Imported where it is needed: transformers takes seconds.
    from .encoders.wavlm import RATE_HZ, WavLMEncoder

    part = audio_encoder_sizes(state)
    encoder = WavLMEncoder(part, RATE_HZ, pretrained=False)
    # How torch named the two parts of a normalised weight before its version 2.
    named = {
        name.replace("conv.weight_g", "conv.parametrizations.weight.original0").replace(
            "conv.weight_v", "conv.parametrizations.weight.original1"
        ): part
        for name, part in state.items()
        if name not in UNUSED
    }
    load_tensors(encoder.model, named, "audio encoder")
    return encoder


def audio_encoder_sizes(state: Mapping[str, Tensor]) -> WavLM:
    """Return the audio encoder's configuration by its tensors; the waveform is not normalised, as published."""
    layer = "encoder.layers.0"
    try:
        return WavLM(
            weights=RANDOM,
            width=state[f"{layer}.feed_forward.intermediate_dense.weight"].shape[1],
            layers=len({name.split(".")[2] for name in state if name.startswith("encoder.layers.")}),
            heads=state[f"{layer}.attention.gru_rel_pos_const"].shape[1],
            feed_forward=state[f"{layer}.feed_forward.intermediate_dense.weight"].shape[0],
            norm="layer" if "feature_extractor.conv_layers.1.layer_norm.weight" in state else "group",
            stem_width=state["feature_extractor.conv_layers.0.conv.weight"].shape[0],
            normalise=False,
        )
    except KeyError as error:
        raise UsageError(f"the {AUDIO_ENCODER} part is not WavLM of transformers: it has no {error.args[0]}") from error
    except IndexError as error:
        raise UsageError(f"the {AUDIO_ENCODER} part has tensors of other dimensions than WavLM's ({error})") from error


def load_tensors(module: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Load all of a module's tensors; UsageError if some are missing, unknown or of another size."""
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        first = "; ".join(line.strip() for line in str(error).splitlines()[1:LINES_SHOWN])
        raise UsageError(f"the published {what} does not fit: {first}") from error
