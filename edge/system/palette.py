"""Colours that are told apart with any colour vision (Okabe and Ito 2008)."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
BLACK, YELLOW = "#000000", "#F0E442"
LABEL_COLOURS = (*COLOURS, YELLOW)
"""Colours of labels, in their order."""
NO_LABEL = "#BBBBBB"
"""Colour of `uncertain`."""


def label_colour(index: int) -> str:
    """Return the colour of the label of an index; the eighth has that of the first."""
    return LABEL_COLOURS[index % len(LABEL_COLOURS)]
