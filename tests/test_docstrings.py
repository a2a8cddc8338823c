"""Docstrings that name their object: no opening that only makes sense beside the code.

A first line is an imperative ("Return ...") or a noun phrase ("Ring of ..."). Ruff's D401 sees to the imperative mood
of functions; here are the openings that no reader can take for either.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = sorted(
    {
        path.parent.relative_to(ROOT)
        for top in ("edge", "train", "export", "benchmarks")
        for path in (ROOT / top).rglob("*.py")
    }
)
ODD = re.compile(
    r"(what|whether|of|as|those|by|how|where|when|why|which|who|whose|if|it|its|they|them|their|he|she|this|these|that"
    r"|so|than|none|nothing|nobody|because|likewise|also|again|same)$"
)
PREPOSITIONS = re.compile(
    r"(from|in|on|at|with|without|to|up|until|past|over|between|behind|before|after|like|for|since)$"
)
"""Openings of definitions only: a field may be "in pixels", a function may not."""
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Line and text of each docstring, and whether it is that of a definition; the others stand under fields."""
    for node in ast.walk(tree):
        body = getattr(node, "body", [])
        for index, statement in enumerate(body if isinstance(body, list) else []):
            value = getattr(statement, "value", None) if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value, index == 0 and isinstance(node, DEFINITIONS)


def is_odd(text: str, defines: bool) -> bool:
    word = text.split()[0].strip("`*\"'(,.;:").lower() if text.split() else ""
    return bool(ODD.match(word) or (defines and PREPOSITIONS.match(word)))


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_docstrings_open_with_an_imperative_or_the_name_of_their_object(room: Path) -> None:
    odd = [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0] if text else text}"
        for path in sorted((ROOT / room).glob("*.py"))
        for line, text, defines in docstrings(ast.parse(path.read_text()))
        if is_odd(text, defines)
    ]
    assert not odd, "\n".join(odd)
