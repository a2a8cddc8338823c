"""Rectangles in pictures."""

from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in the picture, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def area(self) -> int:
        """In pixels."""
        return self.width * self.height

    def rank(self) -> tuple[int, ...]:
        """Larger ones come first, of equal ones the leftmost, then the topmost; no two boxes have the same."""
        return -self.area(), *self
