"""Opening lines of a run: what was chosen and why, what is read, and where it goes."""

from collections.abc import Iterator

from ..session.start import Start

CAVEAT = "drawn and synthesised, it shows that all works, not how well"


def opening_lines(start: Start) -> Iterator[str]:
    """Yield a line each of the model, the detector of faces, the input and the output, and of what a demo is worth."""
    yield f"model   {start.model}"
    if start.faces:
        yield f"faces   by {start.faces}"
    yield f"input   {', '.join(start.inputs)}"
    if start.captions:
        yield f"        {CAVEAT}"
    where = f"publishing at {start.address}" if start.address else "not publishing"
    kept = f"recording into {start.record}" if start.record else "nothing is kept"
    shown = f", shown at {start.page}" if start.page else ""
    yield f"output  {kept}, {where}{shown}"
