"""Rectangles in images."""

from typing import NamedTuple


class Box(NamedTuple):
    """Rectangle in an image, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def area(self) -> int:
        """Return the area in pixels."""
        return self.width * self.height

    def rank(self) -> tuple[int, ...]:
        """Return a unique sort key: larger boxes come first, of equal ones the leftmost, then the topmost."""
        return -self.area(), *self
