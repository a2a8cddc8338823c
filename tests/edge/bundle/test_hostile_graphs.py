"""ONNX graphs made to do harm: their bytes, where their weights lie, what they are to an engine."""

from pathlib import Path

import onnxruntime
import pytest

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import differences
from edge.bundle import golden
from edge.bundle.load import SHIPPED, load
from tests.edge.made_bundles import (
    AGAIN,
    EXPORT,
    GIB_2,
    LEAVE_IT,
    UPDATE,
    Case,
    Folder,
    assert_refused,
    assert_refused_in_512_mb,
)
from tests.edge.made_onnx import cast_model, constant_in, field, node, sum_of_zeros, varint, weights_in

_, WIDTH = load(SHIPPED).manifest.graphs.image_encoder.outputs[0].shape
SAYS = f"says [('embedding', 'float32', ['*', {WIDTH}])]"

FORMAT: dict[str, Case] = {
    "graph truncated": (
        lambda f: f.write("fusion.onnx", (SHIPPED / "fusion.onnx").read_bytes()[:-1000]),
        ["fusion.onnx is no ONNX graph", "claims", "are left", AGAIN],
    ),
    "graph empty": (lambda f: f.write("fusion.onnx", b""), ["fusion.onnx is no ONNX graph: it is empty", AGAIN]),
    "graph in another format": (lambda f: f.write("fusion.onnx", b"\x18\0\0\0ORTM"), ["is no ONNX graph", AGAIN]),
    "graph without a graph": (lambda f: f.write("fusion.onnx", field(1, 10)), ["it holds no graph", AGAIN]),
    "graph claims 2 GB": (
        lambda f: f.add("fusion", b"\x3a" + varint(GIB_2)),
        [f"claims {GIB_2} bytes", "0 are left", AGAIN],
    ),
    "graph of empty fields": (
        lambda f: f.add("fusion", field(7, field(1, "") * 300_000)),
        ["more than 300000 fields", AGAIN],
    ),
    "field number that wraps": (lambda f: f.add("fusion", varint(7 << 3 | 2 | 1 << 32) + b"\0"), ["tag 42949", AGAIN]),
    "number without an end": (lambda f: f.add("fusion", b"\x08" + b"\xff" * 11), ["has no end", AGAIN]),
}
"""Refused before an engine sees them."""

WEIGHTS: dict[str, Case] = {
    "weights climb": (
        lambda f: f.add("fusion", weights_in(location="../../etc/passwd")),
        ["fusion.onnx has weights in '../../etc/passwd'", "expected in its own file", LEAVE_IT],
    ),
    "weights absolute": (
        lambda f: f.add("fusion", weights_in(location="/etc/passwd", offset="0", length="16")),
        ["has weights in '/etc/passwd'", "expected in its own file", LEAVE_IT],
    ),
    "weights in the program's memory": (
        lambda f: f.add("fusion", weights_in(location="*/_ORT_MEM_ADDR_/*", offset="4096", length="16")),
        ["has weights in '*/_ORT_MEM_ADDR_/*'", LEAVE_IT],
    ),
    "weights in a file not listed": (
        lambda f: f.weigh(b"0" * 16, location="golden.npz", offset="0", length="16"),
        ["has weights in 'golden.npz'", "expected in fusion.data of 16 bytes", LEAVE_IT],
    ),
    "weights hidden in a branch": (
        lambda f: f.add("fusion", constant_in(location="../secret")),
        ["has weights in '../secret'", LEAVE_IT],
    ),
    "weights of two tensors, one elsewhere": (
        lambda f: f.weigh(bytes(16), location="fusion.data") or f.add("fusion", weights_in(location="x")),
        ["has weights in 'x'", "expected in fusion.data of 16 bytes", LEAVE_IT],
    ),
    "weights said twice": (
        lambda f: f.add("fusion", weights_in(location="a", lacation="b").replace(b"lacation", b"location")),
        ["a tensor's 'location' is 'a' and 'b', one is expected", AGAIN],
    ),
    "weights of 2 GB": (
        lambda f: f.weigh(b"0" * 16, location="fusion.data", offset="0", length=str(GIB_2)),
        [f"weights at '0', '{GIB_2}' bytes long", "expected in fusion.data of 16 bytes", AGAIN],
    ),
    "weights beyond the file": (
        lambda f: f.weigh(b"0" * 16, location="fusion.data", offset="4096", length="16"),
        ["weights at '4096', '16' bytes long", "expected in fusion.data of 16 bytes", AGAIN],
    ),
    "weights before the file": (
        lambda f: f.weigh(b"0" * 16, location="fusion.data", offset="-16", length="16"),
        ["weights at '-16'", "expected in fusion.data of 16 bytes", AGAIN],
    ),
}
"""Refused before an engine looks for them."""

ENGINE: dict[str, Case] = {
    "input of another type": (
        lambda f: f.patch("image_encoder", b"(frames\x12.\n.\x08)\x02", b"\\1\x03"),
        ["image_encoder.onnx has inputs [('frames', 'tensor(int8)'", "says [('frames', 'uint8'", EXPORT],
    ),
    "output of another name": (
        lambda f: f.patch("image_encoder", b"embedding", b"embeddinx"),
        ["image_encoder.onnx has outputs [('embeddinx'", "says [('embedding'", EXPORT],
    ),
    "input of another rank": (
        lambda f: f.write("image_encoder.onnx", cast_model("batch", 64, 3)),
        ["image_encoder.onnx has inputs [('frames', 'uint8', ['*', 64, 3])]", "['*', 64, 64, 3]", EXPORT],
    ),
    "output of another rank": (
        lambda f: f.write("image_encoder.onnx", cast_model("batch", 64, 64, 3)),
        [
            "has outputs [('embedding', 'float32', ['*', 64, 64, 3])]",
            SAYS,
        ],
    ),
    "graphs swapped": (
        lambda f: f.write("image_encoder.onnx", (SHIPPED / "fusion.onnx").read_bytes()),
        ["image_encoder.onnx has inputs [('audio_tokens'", "says [('frames'", EXPORT],
    ),
    "logits other than the labels and the manifest": (
        lambda f: (
            f.edit(["a", "b"], "labels")
            or f.edit(["batch", 2], "graphs", "fusion", "outputs", 0, "shape")
            or f.edit(None, "video_head")
        ),
        ["fusion.onnx has outputs [('logits', 'float32', ['*', 4])", "says [('logits', 'float32', ['*', 2])", EXPORT],
    ),
    "unknown operator": (
        lambda f: f.add("fusion", field(7, node("Evil", ["logits"], ["e"], field(7, "evil.ops")))),
        ["fusion.onnx does not load in ONNX Runtime", "evil.ops", UPDATE],
    ),
    "newer opset": (
        lambda f: f.write("image_encoder.onnx", cast_model("batch", 64, 64, 3)[:-1] + b"\x63"),
        ["image_encoder.onnx does not load in ONNX Runtime", "99", UPDATE],
    ),
    "newer format": (lambda f: f.add("fusion", field(1, 99)), ["fusion.onnx does not load", "99", UPDATE]),
    "constant of 2 GB": (
        lambda f: f.write("image_encoder.onnx", cast_model("batch", 64, 64, 3, then=sum_of_zeros(GIB_2 // 4))),
        [
            "has outputs [('embedding', 'float32', ['*', 64, 64, 3])]",
            SAYS,
        ],
    ),
    "tensor claims 2 GB": (
        lambda f: f.add(
            "fusion",
            field(7, field(5, field(1, GIB_2 // 4) + field(2, 1) + field(8, "huge")) + node("Relu", ["huge"], ["e"])),
        ),
        ["fusion.onnx does not load in ONNX Runtime", UPDATE],
    ),
}
"""Refused before the engine runs."""

FOLDS_ANY_CONSTANT = tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 27)
"""ONNX Runtime before 1.27 makes constants of any size before it says what a graph gives back: docs/operating.md."""
if FOLDS_ANY_CONSTANT:
    del ENGINE["constant of 2 GB"]

BY_LOAD = FORMAT | WEIGHTS
GREEDY = [
    "graph claims 2 GB",
    "weights of 2 GB",
    "weights beyond the file",
    "constant of 2 GB",
    "tensor claims 2 GB",
]
"""Cases that claim 2 GB of memory or more."""


def run(path: Path) -> OrtBackend:
    return OrtBackend(load(path), threads=1)


def assert_sound(path: Path) -> None:
    bundle = load(path)
    entry, vectors = bundle.manifest.graphs.fusion, golden.load(bundle)["fusion"]
    assert max(differences(run(path).fusion, entry, vectors).values()) <= entry.tolerance


@pytest.mark.parametrize("name", BY_LOAD)
def test_it_is_refused_by_load(shipped_copy: Folder, name: str) -> None:
    assert_refused(shipped_copy, BY_LOAD[name], load)


@pytest.mark.parametrize("name", ENGINE)
def test_it_is_refused_by_the_engine(shipped_copy: Folder, name: str) -> None:
    assert_refused(shipped_copy, ENGINE[name], run)


def test_written_again_unchanged_it_is_not_refused(shipped_copy: Folder) -> None:
    shipped_copy.add("fusion", b"")
    assert_sound(shipped_copy.path)


def test_weights_in_the_file_that_the_manifest_lists_are_not_refused(shipped_copy: Folder) -> None:
    shipped_copy.weigh(bytes(16), location="fusion.data", offset="0", length="16")
    assert_sound(shipped_copy.path)


def test_what_claims_2_gb_is_refused_before_it_has_them(tmp_path: Path) -> None:
    cases = BY_LOAD | ENGINE
    assert_refused_in_512_mb({name: cases[name] for name in GREEDY if name in cases}, tmp_path)
