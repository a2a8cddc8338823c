"""Which machine a run was computed on, and why another one's floats may differ."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest
from msgspec.structs import replace

from edge.recording.machine import Machine, here, otherwise

MADE = Machine("Made 3000 (x86_64)", ["avx2", "fma"], 8, {"numpy": "2.0", "onnxruntime": "1.20"})


def test_this_machine_is_itself_with_any_number_of_threads() -> None:
    this = here()
    assert this == here()
    assert this.versions == {
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
        "opencv": cv2.__version__,
    }
    assert this.processor
    assert [otherwise(this, this, threads) for threads in (0, 3)] == [None, None]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "flags\t\t: fpu avx2 sse4_2 smep fma avx512_vnni amx_int8",
            ["amx_int8", "avx2", "avx512_vnni", "fma", "sse4_2"],
        ),
        ("Features\t: fp asimd asimddp sve sme i8mm bf16 crc32", ["asimd", "asimddp", "bf16", "i8mm", "sme", "sve"]),
        ("model name\t: none", []),
        ("", []),
    ],
)
def test_instructions_are_those_that_kernels_are_chosen_by(tmp_path: Path, line: str, found: list[str]) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{line}\n\nprocessor\t: 1\n")
    assert here(cpuinfo).instructions == found
    assert here(tmp_path / "none").instructions == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"processor": "Made 4000 (aarch64)"}, "it was recorded on Made 4000 (aarch64), this is Made 3000 (x86_64)"),
        (
            {"instructions": ["avx2", "avx512f", "fma"]},
            "its processor had other instructions than this one (['avx512f'])",
        ),
        ({"versions": {"numpy": "2.0", "onnxruntime": "1.19"}}, "it was recorded with onnxruntime 1.19, here is 1.20"),
        ({"versions": {"numpy": "2.0"}}, "it was recorded with onnxruntime none, here is 1.20"),
        (
            {"cores": 2, "versions": MADE.versions | {"numpy": "1.26"}},
            "it was recorded on 2 cores, here are 8; it was recorded with numpy 1.26, here is 2.0",
        ),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], reason: str) -> None:
    assert otherwise(replace(MADE, **changes), MADE, 0) == reason


def test_cores_matter_where_they_are_counted_alone() -> None:
    assert otherwise(replace(MADE, cores=2), MADE, 4) is None
    assert otherwise(None, MADE, 4) == "it does not say on which machine it was recorded"
