"""docs/wire.md is what the message types say, no more and no less."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from msgspec import inspect as types

from edge.geometry import Box
from edge.wire.drop_reasons import DROP_REASONS
from edge.wire.evidence import Latency
from edge.wire.messages import Message, Node, encode, topic
from edge.wire.page import page, read_meanings, spelled, struct
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, STATS

ROOT = Path(__file__).parents[3]
WRITTEN = (ROOT / "docs/wire.md").read_text()
NODE = Node("lobby", "cd", 5, -7, 3)
MESSAGES: list[Message] = [*OF_PEOPLE.values(), PERSON, EVENT, STATS]
"""With all optional fields but for the node."""


def tables() -> dict[str, dict[str, tuple[str, str]]]:
    """The written page's tables by their heading: field -> type and meaning."""
    found = {}
    for block in re.split(r"^#+ ", WRITTEN, flags=re.MULTILINE)[1:]:
        rows = [line.strip("| ").split(" | ") for line in block.splitlines() if line.startswith("| `")]
        found[block.splitlines()[0]] = {row[0].strip("`"): (row[1], " ".join(row[2:])) for row in rows}
    return found


def test_the_written_page_is_the_one_that_would_be_written() -> None:
    assert page() == WRITTEN, "run: python -m edge.wire.page > docs/wire.md"


def test_the_command_writes_it() -> None:
    written = subprocess.run([sys.executable, "-m", "edge.wire.page"], cwd=ROOT, capture_output=True, text=True)
    assert (written.stdout, written.stderr, written.returncode) == (WRITTEN, "", 0)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_its_tables_have_the_fields_of_an_encoded_message(message: Message) -> None:
    def compare(heading: str, encoded: dict[str, Any]) -> None:
        table = tables()[heading]
        assert list(table) == list(encoded)
        for name, value in encoded.items():
            if linked := re.search(r"\[(\w+)\]\(#(\w+)\)", table[name][0]):
                assert linked[1].lower() == linked[2]
                for part in value if isinstance(value, list) else [value]:
                    compare(linked[1], part)

    fields = msgspec.msgpack.decode(encode(msgspec.structs.replace(message, node=NODE), "msgpack"))
    compare(type(message).__name__, fields)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_it_says_the_topic_of_each(message: Message) -> None:
    section = WRITTEN.split(f"\n## {type(message).__name__}\n")[1]
    said = re.match(r"\s*Topic `(.*?)`", section)
    assert said is not None
    assert said[1].replace("<stream>", "cam1").replace("<person>", "2").encode() == topic(message)


def test_it_explains_every_reason_for_dropping() -> None:
    assert set(tables()["Drop reasons"]) == set(DROP_REASONS)


def test_a_meaning_stands_below_its_field_and_may_take_lines() -> None:
    source = 'A = 1\nclass B:\n    """B."""\n    c: int\n    """The\n    c."""\n    d: int\n    e: int\n    """E."""\n'
    assert read_meanings(source) == {("B", "c"): "The c.", ("B", "e"): "E."}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "integer"),
        (list[str], "array of strings"),
        (dict[str, float], "map of numbers"),
        (Literal["a", "b"], "`a`, `b`"),
        (bool | None, "boolean or null"),
        (Box, "array of 4 integers"),
        (Latency, "map, see [Latency](#latency)"),
    ],
)
def test_types_are_spelled_in_words_of_both_formats(kind: Any, words: str) -> None:
    assert spelled(types.type_info(kind)) == words


def test_what_is_no_struct_is_refused() -> None:
    with pytest.raises(TypeError, match="only structs"):
        struct(dict)  # type: ignore[arg-type]


def test_every_struct_of_the_wire_is_on_the_page_once() -> None:
    def below(kind: type) -> list[type]:
        """Return the structs of the wire that are made of a kind; a proxy has others beside them."""
        wire = ("edge.wire.messages", "edge.wire.evidence")
        return [each for each in kind.__subclasses__() if each.__module__ in wire]

    def leaves(kind: type) -> set[str]:
        return set().union(*map(leaves, below(kind))) or {kind.__name__}

    kinds = leaves(msgspec.Struct)
    assert kinds <= set(tables())
    headings = re.findall(r"^#+ (\w+)$", WRITTEN, flags=re.MULTILINE)
    assert sorted(kinds & set(headings)) == sorted(heading for heading in headings if heading in kinds)


def test_every_field_has_a_meaning_also_one_that_is_inherited() -> None:
    assert all(meaning for heading in ("Prediction", "PersonPrediction") for _, meaning in tables()[heading].values())


def test_a_field_that_may_be_left_out_is_called_optional() -> None:
    assert tables()["Status"]["came"][0] == "array of integers, optional"
    assert tables()["Prediction"]["person"][0] == "integer or null, optional"
    assert tables()["PersonPrediction"]["person"][0] == "integer"


def test_the_page_says_which_sockets_subscribe() -> None:
    assert "Subscribe with SUB sockets" in page()
    assert "XSUB sockets that are already connected receive these repeated messages too" in " ".join(page().split())
