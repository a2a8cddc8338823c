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

    def is_near(self, other: "Box") -> bool:
        """Return whether the box's centre lies in the middle of another one, which has half its sides."""
        across, down = (
            self.x - other.x + (self.width - other.width) / 2,
            self.y - other.y + (self.height - other.height) / 2,
        )
        return abs(across) < other.width / 4 and abs(down) < other.height / 4

    def holds_centre_of(self, other: "Box") -> bool:
        """Return whether another box's centre lies in the box."""
        across, down = other.x + other.width / 2 - self.x, other.y + other.height / 2 - self.y
        return 0 <= across < self.width and 0 <= down < self.height

    def rank(self) -> tuple[int, ...]:
        """Return a unique sort key: larger boxes come first, of equal ones the leftmost, then the topmost."""
        return -self.area(), *self
