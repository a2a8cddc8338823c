"""Golden vectors made to do harm: refused before an array is read that is not what the manifest says."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edge.backends.base import Array
from edge.bundle import golden
from edge.bundle.load import SHIPPED, load, read_manifest
from edge.bundle.manifest import GraphName
from tests.edge.made_bundles import AGAIN, GIB_2, Case, Folder, assert_refused, assert_refused_in_512_mb


def npy(shape: tuple[int, ...], dtype: str = "<f4", content: bytes = b"") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": dtype})
    return stream.getvalue() + content


PROBABILITIES = "golden_probabilities"
MANIFEST = read_manifest(SHIPPED)
GIVEN = MANIFEST.golden_probabilities or {}

CASES: dict[str, Case] = {
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
    "labels in another order": (
        lambda f: f.edit(["happy", "angry", "neutral", "sad"], "labels"),
        ["manifest.json is damaged: its labels", f"give 'happy' the golden probabilities {GIVEN['angry']}", AGAIN],
    ),
    "a label of another name": (
        lambda f: f.edit(["angry", "joyful", "neutral", "sad"], "labels"),
        ["has golden probabilities of ['angry', 'happy', 'neutral', 'sad']", "'joyful', 'neutral'", AGAIN],
    ),
    "another temperature": (
        lambda f: f.edit(1.05 * MANIFEST.temperature, "temperature"),
        ["its temperature give 'angry' the golden", AGAIN],
    ),
    "golden probabilities of no label": (lambda f: f.edit({}, PROBABILITIES), ["golden probabilities of []", AGAIN]),
    "golden probabilities of fewer rows": (
        lambda f: f.edit([0.016], PROBABILITIES, "sad"),
        [f"give 'sad' the golden probabilities {GIVEN['sad']}, [0.016] are expected", AGAIN],
    ),
    "golden probabilities above 1": (
        lambda f: f.edit([0.0, 2.0, 0.0], PROBABILITIES, "sad"),
        ["golden_probabilities[][1]: expected a number from 0 to 1", AGAIN],
    ),
    "golden probabilities that are none": (
        lambda f: f.edit(7, PROBABILITIES),
        ["golden_probabilities: found 7, expected a map or null", AGAIN],
    ),
    "golden logits of another bundle": (
        lambda f: f.vectors(fusion__logits=np.eye(3, 4, dtype="f4")),
        ["its temperature give 'angry' the golden", AGAIN],
    ),
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

GREEDY = [
    "array claims 2 GB",
    "archive claims 2 GB",
    "header claims 4 GB",
    "compression with a dictionary of 4 GB",
]
"""Cases that claim 2 GB of memory or more."""


def read(path: Path) -> dict[GraphName, dict[str, Array]]:
    return golden.load(load(path))


@pytest.mark.parametrize("name", CASES)
def test_they_are_refused(shipped_copy: Folder, name: str) -> None:
    assert_refused(shipped_copy, CASES[name], read)


def test_written_again_unchanged_they_are_not_refused(shipped_copy: Folder) -> None:
    shipped_copy.vectors()
    assert set(read(shipped_copy.path)) == {"image_encoder", "audio_encoder", "fusion"}


def test_what_claims_2_gb_is_refused_before_it_has_them(tmp_path: Path) -> None:
    assert_refused_in_512_mb({name: CASES[name] for name in GREEDY}, tmp_path)
