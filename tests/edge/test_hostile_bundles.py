"""Bundles made to do harm: the shipped one with one change, refused with what was found and the remedy.

Those of `BY_LOAD` and `BY_GOLDEN` are refused before an engine sees them, those of `BY_ENGINE` before it runs.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge import golden
from edge.backends.ort import OrtBackend
from edge.bundle import SHIPPED, load, sha256
from edge.errors import BundleError

AGAIN = "take the bundle again or export it again"
EXPORT = "export the checkpoint again"
LEAVE_IT = "do not use this bundle"
UPDATE = "update onnxruntime, take the bundle again or export it again"
GIB_2 = 1 << 31


class Folder:
    """A bundle to be changed; what is written gets its hash into the manifest."""

    def __init__(self, path: Path) -> None:
        self.path, self.manifest = path, path / "manifest.json"

    def edit(self, value: Any, *keys: str | int) -> None:
        """Put `value` into the manifest at `keys`."""
        document = part = json.loads(self.manifest.read_text())
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value
        self.manifest.write_text(json.dumps(document))

    def write(self, name: str, content: bytes) -> None:
        (self.path / name).write_bytes(content)
        keys = ("golden",) if name == "golden.npz" else ("graphs", name.removesuffix(".onnx"), "file")
        self.edit({"path": name, "sha256": sha256(self.path / name)}, *keys)

    def add(self, graph: str, content: bytes) -> None:
        """Put more fields behind those of a graph's model, which merges them."""
        self.write(f"{graph}.onnx", (self.path / f"{graph}.onnx").read_bytes() + content)

    def patch(self, graph: str, pattern: bytes, new: bytes) -> None:
        content, times = re.subn(pattern, new, (self.path / f"{graph}.onnx").read_bytes(), flags=re.DOTALL)
        assert times
        self.write(f"{graph}.onnx", content)

    def weigh(self, content: bytes, **claims: str) -> None:
        """Give the fusion a file of weights, and a tensor that says it lies in one."""
        (self.path / "fusion.data").write_bytes(content)
        file = {"path": "fusion.data", "sha256": sha256(self.path / "fusion.data")}
        self.edit(file, "graphs", "fusion", "weights")
        self.add("fusion", weights_in(**claims))

    def vectors(self, **arrays: Any) -> None:
        """Replace golden arrays (`fusion__logits`); None leaves one out."""
        with np.load(self.path / "golden.npz") as found:
            changed = dict(found) | {name.replace("__", "/"): array for name, array in arrays.items()}
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=True, **{name: array for name, array in changed.items() if array is not None})
        self.write("golden.npz", stream.getvalue())

    def member(self, content: bytes, claims: int | None = None, method: int = zipfile.ZIP_DEFLATED) -> None:
        """Replace the bytes of `fusion/logits`, and what the archive says of their number."""
        stream = io.BytesIO()
        with zipfile.ZipFile(self.path / "golden.npz") as found, zipfile.ZipFile(stream, "w") as archive:
            for name in found.namelist():
                if name == "fusion/logits.npy":
                    archive.writestr(name, content, method)
                    archive.getinfo(name).file_size = claims or len(content)
                else:
                    archive.writestr(name, found.read(name))
        self.write("golden.npz", stream.getvalue())


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def weights_in(**claims: str) -> bytes:
    """A model's graph's initializer with external data."""
    entries = b"".join(field(13, field(1, key) + field(2, value)) for key, value in claims.items())
    return field(7, field(5, field(1, 4) + field(2, 1) + field(8, "stolen") + entries + field(14, 1)))


def node(kind: str, inputs: list[str], outputs: list[str], *more: bytes) -> bytes:
    names = [field(1, name) for name in inputs] + [field(2, name) for name in outputs]
    return field(1, b"".join(names) + field(4, kind) + b"".join(more))


def constant_in(**claims: str) -> bytes:
    """The same in an attribute of a node of a branch of a node."""
    tensor = weights_in(**claims)[3:]
    tensor = tensor[tensor.index(b"\x08\x04") :]
    branch = field(2, "b") + node("Constant", [], ["c"], field(5, field(1, "value") + field(5, tensor) + field(20, 4)))
    return field(7, node("If", ["c"], ["d"], field(5, field(1, "then_branch") + field(6, branch) + field(20, 5))))


def value_info(number: int, name: str, kind: int, *shape: int | str) -> bytes:
    sizes = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return field(number, field(1, name) + field(2, field(1, field(1, kind) + field(2, sizes))))


def cast_model(*shape: int | str, then: bytes = node("Identity", ["cast"], ["embedding"])) -> bytes:
    """A model that casts uint8 frames of this shape to a float32 embedding of the same."""
    to_float = field(5, field(1, "to") + field(3, 1) + field(20, 2))
    graph = node("Cast", ["frames"], ["cast"], to_float) + then + field(2, "g")
    graph += value_info(11, "frames", 2, *shape) + value_info(12, "embedding", 1, *shape)
    return field(1, 10) + field(7, graph) + field(8, field(1, "") + field(2, 18))


def sum_of_zeros(count: int) -> bytes:
    """Nodes that add so many zeros, made on the spot, to what was cast."""
    return (
        field(5, field(1, 1) + field(2, 7) + field(7, varint(count)) + field(8, "shape"))
        + node("ConstantOfShape", ["shape"], ["zeros"])
        + node("ReduceSum", ["zeros"], ["sum"])
        + node("Add", ["cast", "sum"], ["embedding"])
    )


def npy(shape: tuple[int, ...], dtype: str = "<f4", content: bytes = b"") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": dtype})
    return stream.getvalue() + content


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def outside(path: Path) -> None:
    """Move a file out of the bundle and link to it."""
    shutil.move(path, path.parent.parent / path.name)
    path.symlink_to(path.parent.parent / path.name)


Case = tuple[Callable[[Folder], object], list[str]]
INPUTS, OUTPUTS = ("inputs", 0, "shape"), ("outputs", 0, "shape")

BY_LOAD: dict[str, Case] = {
    "wrong hash": (
        lambda f: f.edit("0" * 64, "golden", "sha256"),
        ["golden.npz", "its sha256 is ", "says 0000", AGAIN],
    ),
    "no hash": (lambda f: f.edit("md5", "golden", "sha256"), ["$.golden.sha256", "found 'md5'", AGAIN]),
    "unknown field": (lambda f: f.edit("rm -rf", "graphs", "fusion", "hook"), ["unknown field `hook`", AGAIN]),
    "newer schema": (lambda f: f.edit(2, "schema"), ["has schema 2", "reads schema 1", "update foal-edge"]),
    "path climbs": (lambda f: f.edit("../../x.npz", "golden", "path"), ["'../../x.npz'", "leaves", LEAVE_IT]),
    "path absolute": (lambda f: f.edit("/etc/passwd", "golden", "path"), ["'/etc/passwd'", "leaves", LEAVE_IT]),
    "path backslash": (lambda f: f.edit("..\\x.npz", "golden", "path"), ["x.npz'", "leaves", LEAVE_IT]),
    "path of a drive": (lambda f: f.edit("C:x.npz", "golden", "path"), ["'C:x.npz'", "leaves", LEAVE_IT]),
    "path with NUL": (lambda f: f.edit("golden.npz\0", "golden", "path"), [r"'golden.npz\x00'", LEAVE_IT]),
    "path empty": (lambda f: f.edit("", "golden", "path"), ["$.golden.path", "found ''", AGAIN]),
    "path too long": (lambda f: f.edit("x" * 5000, "golden", "path"), ["xxx is missing", AGAIN]),
    "path of a folder": (lambda f: f.edit(".", "golden", "path"), ["is a directory", "regular file", AGAIN]),
    "link out of the folder": (lambda f: outside(f.path / "fusion.onnx"), ["fusion.onnx is a link", LEAVE_IT]),
    "link to itself": (lambda f: link(f.path / "fusion.onnx", "fusion.onnx"), ["fusion.onnx is missing", AGAIN]),
    "pipe": (lambda f: pipe(f.path / "fusion.onnx"), ["fusion.onnx is a pipe", "regular file", AGAIN]),
    "manifest is a pipe": (lambda f: pipe(f.manifest), ["manifest.json is a pipe", "regular file", AGAIN]),
    "manifest is a folder": (lambda f: directory(f.manifest), ["manifest.json is a directory", "regular", AGAIN]),
    "manifest is a device": (lambda f: link(f.manifest, "/dev/zero"), ["manifest.json is a link", LEAVE_IT]),
    "manifest of 300 MB": (
        lambda f: os.truncate(f.manifest, 300_000_000),
        ["has 300000000 bytes", "at most 1048576 are expected", AGAIN],
    ),
    "manifest nested deep": (lambda f: f.manifest.write_text('{"a":' + "[" * 500_000), ["is damaged", AGAIN]),
    "labels twice": (
        lambda f: f.edit(["sad", "happy", "sad", "angry"], "labels"),
        ["label 'sad' more than once", "differ", EXPORT],
    ),
    "labels empty": (lambda f: f.edit([], "labels"), ["length >= 1", "$.labels", "found []", AGAIN]),
    "a label empty": (lambda f: f.edit(["", "a", "b", "c"], "labels"), ["$.labels[0]", "found ''", AGAIN]),
    "labels fewer than logits": (lambda f: f.edit(["a", "b"], "labels"), ["has 2 labels (a, b) for 4 logits", EXPORT]),
    "no sound": (lambda f: f.edit(0, "sound", "rate_hz"), [">= 1", "$.sound.rate_hz", "found 0", AGAIN]),
    "sound backwards": (lambda f: f.edit(-16000, "sound", "rate_hz"), [">= 1", "found -16000", AGAIN]),
    "window of 30 years": (lambda f: f.edit(1e9, "sound", "window_s"), ["<= 60", "found 1000000000.0", AGAIN]),
    "picture rate 0": (lambda f: f.edit(0, "picture", "rate_hz"), ["> 0", "$.picture.rate_hz", "found 0", AGAIN]),
    "picture of 10 GB": (lambda f: f.edit(60000, "picture", "height"), ["<= 4096", "found 60000", AGAIN]),
    "temperature 0": (lambda f: f.edit(0, "temperature"), [">= 0.01", "$.temperature", "found 0", AGAIN]),
    "temperature NaN": (lambda f: f.edit(float("nan"), "temperature"), ["malformed", "(byte ", AGAIN]),
    "temperature infinite": (
        lambda f: (
            f.edit(54.321, "temperature") or f.manifest.write_text(f.manifest.read_text().replace("54.321", "1e999"))
        ),
        ["Number out of range", "$.temperature", AGAIN],
    ),
    "tolerance negative": (
        lambda f: f.edit(-1e-3, "graphs", "fusion", "tolerance"),
        ["> 0", "$.graphs.fusion.tolerance", "found -0.001", AGAIN],
    ),
    "tolerance of anything": (lambda f: f.edit(1e30, "graphs", "fusion", "tolerance"), ["<= 100", "1e+30", AGAIN]),
    "batch of none": (lambda f: f.edit(0, "graphs", "fusion", "batch", "largest"), [">= 1", "found 0", AGAIN]),
    "batch usual above largest": (
        lambda f: f.edit(9, "graphs", "fusion", "batch", "usual"),
        ["fusion.onnx has a usual batch of 9", "largest of 8", EXPORT],
    ),
    "dimension negative": (
        lambda f: f.edit(["batch", -1], "graphs", "fusion", *OUTPUTS),
        [">= 1", "$.graphs.fusion.outputs[0].shape[1]", "found -1", AGAIN],
    ),
    "embedding other than the fusion's": (
        lambda f: f.edit(["batch", 30, 128], "graphs", "fusion", "inputs", 2, "shape"),
        ["image_encoder.onnx has outputs", "['*', 160]", "need", "['*', 128]", EXPORT],
    ),
    "tokens other than the fusion's": (
        lambda f: f.edit(["batch", 75, 96], "graphs", "audio_encoder", *OUTPUTS),
        ["audio_encoder.onnx has outputs", "['*', 75, 96]", "need", "['*', 75, 160]", EXPORT],
    ),
    "frames other than the picture": (
        lambda f: f.edit(96, "picture", "height"),
        ["image_encoder.onnx has inputs", "['*', 64, 64, 3]", "need", "['*', 96, 64, 3]", EXPORT],
    ),
    "waveform other than the sound": (
        lambda f: f.edit(8000, "sound", "rate_hz"),
        ["audio_encoder.onnx has inputs", "['*', 96000]", "need", "['*', 48000]", EXPORT],
    ),
    "frames of a window other than the fusion's": (
        lambda f: f.edit(10, "picture", "rate_hz"),
        ["fusion.onnx has inputs", "['*', 30, 160]", "need", "['*', 60, 160]", EXPORT],
    ),
    "no embedding": (
        lambda f: f.edit([{"name": "logits", "dtype": "float32", "shape": ["b", 4]}], "graphs", "fusion", "outputs"),
        ["fusion.onnx has outputs [('logits', 'float32', ['*', 4])]", "need", "audio_embedding", EXPORT],
    ),
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

BY_ENGINE: dict[str, Case] = {
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
        ["has outputs [('embedding', 'float32', ['*', 64, 64, 3])]", "says [('embedding', 'float32', ['*', 160])]"],
    ),
    "graphs swapped": (
        lambda f: f.write("image_encoder.onnx", (SHIPPED / "fusion.onnx").read_bytes()),
        ["image_encoder.onnx has inputs [('audio_tokens'", "says [('frames'", EXPORT],
    ),
    "logits other than the labels and the manifest": (
        lambda f: f.edit(["a", "b"], "labels") or f.edit(["batch", 2], "graphs", "fusion", *OUTPUTS),
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
        ["has outputs [('embedding', 'float32', ['*', 64, 64, 3])]", "says [('embedding', 'float32', ['*', 160])]"],
    ),
    "tensor claims 2 GB": (
        lambda f: f.add(
            "fusion",
            field(7, field(5, field(1, GIB_2 // 4) + field(2, 1) + field(8, "huge")) + node("Relu", ["huge"], ["e"])),
        ),
        ["fusion.onnx does not load in ONNX Runtime", "huge", UPDATE],
    ),
}

BY_GOLDEN: dict[str, Case] = {
    "no archive": (lambda f: f.write("golden.npz", b"PK"), ["golden.npz is damaged", "not a zip file", AGAIN]),
    "pickled objects": (
        lambda f: f.vectors(fusion__logits=np.array([print, 1, 2], object)),
        ["fusion/logits.npy is object [3]", "float32 [3, 4] is expected", AGAIN],
    ),
    "array missing": (lambda f: f.vectors(fusion__logits=None), ["lacks", "fusion/logits.npy", AGAIN]),
    "array too many": (lambda f: f.vectors(fusion__extra=np.zeros(3)), ["has ['fusion/extra.npy'] beyond", AGAIN]),
    "another type": (
        lambda f: f.vectors(fusion__logits=np.zeros((3, 4))),
        ["fusion/logits.npy is float64 [3, 4]", "float32 [3, 4] is expected", AGAIN],
    ),
    "another byte order": (lambda f: f.vectors(fusion__logits=np.zeros((3, 4), ">f4")), ["is >f4 [3, 4]", AGAIN]),
    "another shape": (lambda f: f.vectors(fusion__logits=np.zeros((3, 5), "f4")), ["float32 [3, 5]", "[3, 4]", AGAIN]),
    "another batch": (lambda f: f.vectors(fusion__logits=np.zeros((2, 4), "f4")), ["float32 [2, 4]", "[3, 4]", AGAIN]),
    "no rows": (lambda f: f.vectors(image_encoder__frames=np.zeros((0, 64, 64, 3), "u1")), ["uint8 [0, 64", AGAIN]),
    "NaN": (lambda f: f.vectors(fusion__logits=np.full((3, 4), np.nan, "f4")), ["has NaN", "finite", AGAIN]),
    "array claims 2 GB": (
        lambda f: f.member(npy((3, GIB_2 // 12))),
        [f"float32 [3, {GIB_2 // 12}]", "float32 [3, 4] is expected", AGAIN],
    ),
    "archive claims 2 GB": (
        lambda f: f.member(npy((3, 4), content=bytes(48)), GIB_2),
        [f"claims {GIB_2} bytes for 48 of values", AGAIN],
    ),
    "more bytes than values": (
        lambda f: f.member(npy((3, 4), content=bytes(1 << 20))),
        ["bytes for 48 of values", AGAIN],
    ),
    "fewer bytes than values": (lambda f: f.member(npy((3, 4), content=bytes(8))), ["for 48 of values", AGAIN]),
    "header claims 4 GB": (
        lambda f: f.member(b"\x93NUMPY\x02\x00" + b"\xff" * 4, GIB_2),
        ["npy format (2, 0), (1, 0) is expected", AGAIN],
    ),
    "header nested deep": (
        lambda f: f.member(b"\x93NUMPY\x01\x00\xa0\x0f" + b"-" * 3999 + b"1"),
        ["golden.npz is damaged", AGAIN],
    ),
    "compression with a dictionary of 4 GB": (
        lambda f: f.member(npy((3, 4), content=bytes(48)), method=zipfile.ZIP_LZMA),
        ["has compression 14, 0 or 8 is expected", AGAIN],
    ),
}

STEPS: dict[str, tuple[dict[str, Case], Callable[[Path], object]]] = {
    "load": (BY_LOAD, load),
    "engine": (BY_ENGINE, lambda path: OrtBackend(load(path), threads=1)),
    "golden": (BY_GOLDEN, lambda path: golden.load(load(path))),
}
CASES = [pytest.param(*step, name, id=name) for step in STEPS.values() for name in step[0]]


GREEDY = {
    "load": [
        "manifest of 300 MB",
        "graph claims 2 GB",
        "weights of 2 GB",
        "weights beyond the file",
    ],
    "engine": ["constant of 2 GB", "tensor claims 2 GB"],
    "golden": [
        "array claims 2 GB",
        "archive claims 2 GB",
        "header claims 4 GB",
        "compression with a dictionary of 4 GB",
    ],
}
"""Cases that claim 2 GB of memory or more."""

MEASURED = """
import sys
from pathlib import Path
from edge import golden
from edge.backends.ort import OrtBackend
from edge.bundle import load
from edge.errors import BundleError

def peak_mb():
    return next(int(line.split()[1]) >> 10 for line in open("/proc/self/status") if line.startswith("VmPeak"))

began = peak_mb()
for path in sys.argv[1:]:
    try:
        bundle = load(Path(path))
        golden.load(bundle)
        OrtBackend(bundle, threads=1)
    except BundleError as error:
        print(peak_mb() - began, error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    yield Folder(Path(shutil.copytree(SHIPPED, tmp_path / "hostile")))
    shutil.rmtree(tmp_path / "hostile")


@pytest.mark.parametrize(("cases", "use", "name"), CASES)
def test_it_is_refused(folder: Folder, cases: dict[str, Case], use: Callable[[Path], object], name: str) -> None:
    change, says = cases[name]
    change(folder)
    with pytest.raises(BundleError) as refused:
        use(folder.path)
    message = str(refused.value)
    assert [part for part in says if part not in message] == [], message


def test_without_a_change_it_is_not_refused(folder: Folder) -> None:
    folder.vectors()
    for _, use in STEPS.values():
        use(folder.path)


def test_weights_in_the_file_that_the_manifest_lists_are_not_refused(folder: Folder) -> None:
    folder.weigh(bytes(16), location="fusion.data", offset="0", length="16")
    OrtBackend(load(folder.path), threads=1)


def test_what_claims_2_gb_is_refused_before_it_has_them(tmp_path: Path) -> None:
    names = [(step, name) for step, found in GREEDY.items() for name in found]
    paths = [Path(shutil.copytree(SHIPPED, tmp_path / name.replace(" ", "-"))) for _, name in names]
    for path, (step, name) in zip(paths, names, strict=True):
        STEPS[step][0][name][0](Folder(path))
    command = [sys.executable, "-c", MEASURED, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    for path in paths:
        shutil.rmtree(path)
    for line, (step, name) in zip(ended.stdout.splitlines(), names, strict=True):
        taken_mb, message = line.split(" ", 1)
        assert [part for part in STEPS[step][0][name][1] if part not in message] == [], message
        assert int(taken_mb) < 512, name
