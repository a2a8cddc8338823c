"""Weights of a network, read back out of the fp32 ONNX graph that it was exported to.

The exporter keeps the names of parameters with two exceptions. A linear layer on tokens becomes a product with its
transposed weights, which lose their name, and the addition of its bias, which keeps it. A BatchNorm is folded into the
convolution before it, whose new bias is named after the convolution's weights.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import onnx
import torch
from onnx import ModelProto, numpy_helper
from torch import Tensor, nn

BIAS, WEIGHT = ".bias", ".weight"
FOLDED_BIAS = ".weight_bias"
"""End of the name of the bias that a convolution gets from its BatchNorm."""


def read_weights(path: Path, module: nn.Module) -> dict[str, Tensor]:
    """Return the part of a module's state that the graph at `path` holds; the module is of the graph's architecture.

    A folded BatchNorm is returned as one that adds its bias alone, after a convolution that has taken in its factor.
    """
    tensors, known = named_tensors(onnx.load(path)), module.state_dict()
    state = {name: tensor for name, tensor in tensors.items() if name in known}
    for convolution, name, norm in normed_convolutions(module):
        bias = tensors.get(convolution + FOLDED_BIAS)
        if bias is not None:
            state |= {f"{name}.{part}": tensor for part, tensor in adding(bias, norm).items()}
    return state


def named_tensors(model: ModelProto) -> dict[str, Tensor]:
    """Return the constants of a graph by name, and linear layers' weights `[out, in]` by the names of their biases."""
    constants = {each.name: torch.tensor(numpy_helper.to_array(each)) for each in model.graph.initializer}
    products = {
        node.output[0]: constants[node.input[1]]
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in constants
    }
    named = dict(constants)
    for node in model.graph.node:
        if node.op_type != "Add":
            continue
        for product, bias in (tuple(node.input), tuple(node.input)[::-1]):
            if product in products and bias in constants and bias.endswith(BIAS):
                named[bias.removesuffix(BIAS) + WEIGHT] = products[product].T.contiguous()
    return named


def normed_convolutions(module: nn.Module) -> Iterator[tuple[str, str, nn.BatchNorm2d]]:
    """Yield the names of each convolution and of the BatchNorm right after it, and the BatchNorm."""
    for name, sequence in module.named_modules():
        if isinstance(sequence, nn.Sequential):
            prefix = f"{name}." if name else ""
            for (first, convolution), (second, norm) in pairwise(sequence.named_children()):
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    yield prefix + first, prefix + second, norm


def adding(bias: Tensor, norm: nn.BatchNorm2d) -> dict[str, Tensor]:
    """Return the state of a BatchNorm that adds a bias `[C]` in evaluation and changes nothing else."""
    return {
        "weight": torch.ones_like(bias),
        "bias": bias,
        "running_mean": torch.zeros_like(bias),
        "running_var": torch.full_like(bias, 1 - norm.eps),
        "num_batches_tracked": torch.tensor(0),
    }
