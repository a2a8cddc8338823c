"""Text of others as it may be shown on a terminal: control characters spelled out."""

import re

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1, what ends a line or turns its direction, and halves of characters."""


def visible(text: str) -> str:
    """Text of others, as it may be shown on a terminal: what steers one is spelled as in JSON, `\\u001b` for ESC.

    A document in JSON has such characters in its strings alone, and means the same afterwards.
    """
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def paragraph(text: str, indent: str = "  ") -> str:
    """A text of several lines as it may be shown; none but the first may look like a line of its own."""
    return f"\n{indent}".join(map(visible, text.rstrip("\n").split("\n")))
