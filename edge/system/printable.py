"""Text from outside made fit for a terminal: control characters spelled out."""

import re

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Pattern of C0 and C1, of characters that end a line or turn its direction, and of surrogates."""
SPELLED = re.compile(r"\\u(dc[89a-f][0-9a-f])")
"""Pattern of a byte that is not UTF-8, as `as_text` spells it."""


def visible(text: str) -> str:
    """Return a text whose control characters are spelled as in JSON, `\\u001b` for ESC.

    A JSON document has such characters in its strings alone, and means the same afterwards.
    """
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def paragraph(text: str, indent: str = "  ") -> str:
    """Return a text of several lines without control characters, all lines but the first indented."""
    return f"\n{indent}".join(map(visible, text.rstrip("\n").split("\n")))


def as_text(name: str) -> str:
    """Return a text that may hold a file's name which is not UTF-8, its odd bytes spelled as `\\udce9`."""
    return name.encode(errors="backslashreplace").decode()


def from_text(text: str) -> str:
    """Return the name of a file that `as_text` spelled."""
    return SPELLED.sub(lambda found: chr(int(found[1], 16)), text)
