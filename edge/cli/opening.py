"""Opening lines of a run: what was chosen and why, what is read, and where it goes."""

from collections.abc import Iterator

from ..session.start import Start

CAVEAT = "what the model makes of the demo shows that all works, not how well: it is drawn and synthesised"


def opening_lines(start: Start) -> Iterator[str]:
    """Yield three lines: the model, the input and the output, and where the input is the demo, what it is worth."""
    yield f"model   {start.model}"
    yield f"input   {', '.join(start.inputs)}"
    if start.captions:
        yield f"        {CAVEAT}"
    where = f"publishing at {start.address}" if start.address else "not publishing"
    kept = f"recording into {start.record}" if start.record else "nothing is kept"
    shown = f", shown at {start.page}" if start.page else ""
    yield f"output  {kept}, {where}{shown}"
