"""Names and versions of models."""

import pytest
from msgspec.structs import replace

from edge.backends.triton.names import describe, hashes, model_name, model_version, row_shape
from edge.bundle.manifest import File, Manifest, Tensor
from edge.errors import UsageError


@pytest.mark.parametrize(
    ("version", "number"), [("0.3.1", 3001), ("0.0.1", 1), ("1.2.3", 1_002_003), ("12.0.999", 12_000_999)]
)
def test_a_later_version_has_a_larger_number(manifest: Manifest, version: str, number: int) -> None:
    assert model_version(replace(manifest, version=version)) == number


@pytest.mark.parametrize("version", ["1.0", "2026-11-30", "0.3.1.dev0", "0.1000.0", "0.0.0", "new"])
def test_a_version_that_makes_no_number_is_refused(manifest: Manifest, version: str) -> None:
    with pytest.raises(UsageError, match=r"three numbers below 1000, like 0\.3\.1"):
        model_version(replace(manifest, version=version))


def test_a_model_is_called_after_the_bundle_and_the_graph(manifest: Manifest) -> None:
    assert model_name(manifest, "fusion") == "tiny.fusion"
    for name in ("two words", "a/b", "..", ""):
        with pytest.raises(UsageError, match="cannot begin the name of a model"):
            model_name(replace(manifest, name=name), "fusion")


def test_a_row_of_one_number_has_a_shape_too() -> None:
    assert row_shape(Tensor("end", "int64", ["batch"])) == [1]
    assert row_shape(Tensor("tokens", "float32", ["batch", 4, 2])) == [4, 2]


def test_hashes_are_those_of_all_files(manifest: Manifest) -> None:
    entry = replace(manifest.graphs.fusion, file=File("a", "1" * 64), weights=File("b", "2" * 64))
    assert hashes(entry) == f"{'1' * 64} {'2' * 64}"


def test_tensors_are_described_for_people() -> None:
    assert describe([("a", "FP32", [-1, 4]), ("b", "BOOL", [2])]) == "a FP32 [*, 4], b BOOL [2]"
