"""Colours of Okabe and Ito, which colour-blind people can tell apart, each with a pattern besides."""

from collections.abc import Sequence
from typing import NamedTuple

from ..wire.messages import UNCERTAIN

ANGRY, HAPPY, GREY, SAD = "#d55e00", "#f0e442", "#b5b5b5", "#0072b2"
PURPLE, ORANGE, GREEN, SKY = "#cc79a7", "#e69f00", "#009e73", "#56b4e9"
USUAL = {
    "angry": ANGRY,
    "happy": HAPPY,
    "neutral": GREY,
    "sad": SAD,
    "fearful": PURPLE,
    "fear": PURPLE,
    "surprised": ORANGE,
    "surprise": ORANGE,
    "disgusted": GREEN,
    "disgust": GREEN,
    "calm": SKY,
}
"""Colour that a label has in every bundle."""
OTHERS = (SKY, GREEN, ORANGE, PURPLE, HAPPY, SAD, ANGRY, GREY)
"""Colours of other labels, in turn."""
PATTERNS = ("plain", "rising", "dots", "upright", "level", "falling", "dashes", "grain")
"""Patterns, in turn: classes in `style.css`, and names in `chart.js`."""
STATE_COLOURS = {
    "ok": "#7fc4a8",
    "no_speech": "#a9c3d8",
    "no_face": "#a9c3d8",
    "silent": "#f3c26b",
    "clipping": "#f3c26b",
    "dark": "#f3c26b",
    "lost": "#e08a5a",
    "off": "#c9c9c9",
}
UNCERTAIN_COLOUR = "#e4e4e4"
DARK_TEXT, LIGHT_TEXT = "#111111", "#ffffff"


class Look(NamedTuple):
    """Look of one label."""

    colour: str
    pattern: str


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """Return each label's look: no two labels share both colour and pattern, up to eight of them."""
    free = [colour for colour in OTHERS if colour not in {USUAL.get(label) for label in labels}] or list(OTHERS)
    found: dict[str, Look] = {}
    others = 0
    for index, label in enumerate(labels):
        colour = USUAL.get(label)
        if colour is None:
            colour, others = free[others % len(free)], others + 1
        found[label] = Look(colour, PATTERNS[index % len(PATTERNS)])
    return found | {UNCERTAIN: Look(UNCERTAIN_COLOUR, "plain")}


def text_colour(background: str) -> str:
    """Return the text colour that stands out from a background `#rrggbb`, by WCAG's relative luminance."""
    channels = [int(background[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return DARK_TEXT if luminance > 0.179 else LIGHT_TEXT
