"""People of a stream as HTML: a table with a row for each who is there."""

from html import escape

from ..wire.evidence import VoiceOf
from ..wire.messages import PersonPrediction
from .history import StreamHistory
from .markup import swatch
from .palette import looks
from .picture_markup import SPEAKS

VOICES: dict[VoiceOf, str] = {
    "person": f"{SPEAKS} speaks",
    "other": "another speaks",
    "nobody": "nobody speaks",
    "unclear": "unclear",
}
"""Words for the newest second's voice in a person's row."""


def people(history: StreamHistory) -> str:
    """Return the table of the people who are there; empty where one person is followed, or none has come."""
    there = history.people.all()
    if not there:
        return ""
    main = history.newest.person if history.newest else None
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("person", "seems", "", "voice"))
    rows = "".join(row(each, is_main=each.person == main) for each in there)
    return f'<table class="people"><caption>People: {len(there)}</caption><thead><tr>{heads}</tr></thead>{rows}</table>'


def row(last: PersonPrediction, *, is_main: bool) -> str:
    """Return the row of a person; the main one is called so."""
    look = looks(last.labels).get(last.label)
    patch = swatch(look) if look else ""
    face = "" if last.video.box else ", face hidden"
    return (
        f'<tr{" class=most" if is_main else ""}><th scope="row">{last.person}{" main" if is_main else ""}</th>'
        f'<td>{patch}{escape(last.label)}<br><small class="dim">steady {escape(last.steady)}{face}</small></td>'
        f'<td class="number">{last.confidence:.0%}</td><td>{VOICES[last.audio.voice_of or "unclear"]}</td></tr>'
    )
