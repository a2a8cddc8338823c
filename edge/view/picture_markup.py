"""Picture of a stream's camera as HTML, with a box around each face that counts."""

from base64 import b64encode

from ..geometry import Box
from ..wire.evidence import PersonSeen
from ..wire.messages import CameraPicture
from .history import StreamHistory

SPEAKS = "♪"
"""Mark of the person who speaks."""


def picture(history: StreamHistory) -> str:
    """Return the newest picture with its boxes, saying why it is there; empty where none is published."""
    shown = history.picture
    if shown is None:
        return ""
    data = b64encode(shown.jpeg).decode()
    mark = f"; {SPEAKS} speaks" if any(seen.speaking for seen in shown.people) else ""
    return (
        f'<figure><img alt="What the camera sees" src="data:image/jpeg;base64,{data}">'
        f'<svg viewBox="0 0 {shown.width} {shown.height}" aria-hidden="true">{boxes(shown)}</svg>'
        f"<figcaption>Camera picture (--show-picture){mark}</figcaption></figure>"
    )


def boxes(shown: CameraPicture) -> str:
    """Return the boxes in the picture: those of all people with their numbers, or else that of the face that counts."""
    if shown.people:
        return "".join(person_box(seen, seen.box, shown) for seen in shown.people if seen.box is not None)
    return rectangle(shown.box) if shown.box else ""


def person_box(seen: PersonSeen, box: Box, shown: CameraPicture) -> str:
    """Return a person's box with the number above it, or within it where there is no room above."""
    size = shown.width // 16
    baseline = box.y - size // 4 if box.y > 1.25 * size else box.y + size
    text = f"{seen.person} {SPEAKS}" if seen.speaking else f"{seen.person}"
    return f'{rectangle(box)}<text x="{box.x + size // 6}" y="{baseline}" font-size="{size}">{text}</text>'


def rectangle(box: Box) -> str:
    """Return a box as SVG."""
    return f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"/>'
