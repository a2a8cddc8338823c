"""docs/troubleshooting.md quotes what the program says: each quotation stands in its source."""

import re
from pathlib import Path

import pytest

from edge.wire.drop_reasons import DROP_REASONS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
SOURCE = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text() for path in (ROOT / "edge").rglob("*.py")))
"""The runtime's code, the parts of a string that is written on several lines put together."""
OF_OTHERS = {"CUDA driver version is insufficient", "FP32 GEMM is not supported", "onnxruntime"}
"""Said by a driver, a library or a package manager."""


def quotations() -> list[str]:
    """What stands in backticks in the first column, of the tables whose first column is what the user sees."""
    tables = re.findall(r"^\| (?:you see|reason that grows) \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    cells = [row.split(" | ")[0] for table in tables for row in table.splitlines()]
    return sorted({quoted for cell in cells for quoted in re.findall(r"`([^`]+)`", cell)} - OF_OTHERS)


@pytest.mark.parametrize("quoted", quotations())
def test_what_is_quoted_is_said_by_the_program(quoted: str) -> None:
    assert quoted in SOURCE, f"no message of edge/ has {quoted!r}: quote what it says now"


def test_every_drop_reason_is_explained() -> None:
    assert [reason for reason in DROP_REASONS if f"`{reason}`" not in PAGE] == []
