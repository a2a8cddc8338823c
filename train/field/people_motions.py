"""Motions of people in made films: sitting, walking, turning, hidden for a while."""

import math
from collections.abc import Sequence

import numpy as np

from .people_films import Motion, Pose


def sitting(
    rng: np.random.Generator, x: float, y: float, height: float, roll_deg: float = 6.0, yaw_deg: float = 12.0
) -> Motion:
    """Return the motion of somebody who sits: sways by a tenth of the face, rolls and turns by up to so much."""
    phases = rng.uniform(0, 2 * math.pi, 5)
    beats_hz = rng.uniform(0.05, 0.3, 5)

    def motion(time_s: float) -> Pose:
        swings = np.sin(2 * np.pi * beats_hz * time_s + phases).tolist()
        return Pose(
            x + 0.12 * height * swings[0],
            y + 0.06 * height * swings[1],
            height * (1 + 0.05 * swings[2]),
            roll_deg * swings[3],
            yaw_deg * swings[4],
        )

    return motion


def walking(
    rng: np.random.Generator, begin_s: float, end_s: float, from_x: float, to_x: float, y: float, height: float
) -> Motion:
    """Return the motion of somebody who walks from one side to another, and is not there before and after."""
    turned_deg = math.copysign(12.0, to_x - from_x)
    phase = rng.uniform(0, 2 * math.pi)

    def motion(time_s: float) -> Pose | None:
        if not begin_s <= time_s <= end_s:
            return None
        share = (time_s - begin_s) / (end_s - begin_s)
        step = 0.04 * height * math.sin(2 * math.pi * 1.8 * time_s + phase)
        return Pose(from_x + share * (to_x - from_x), y + step, height, 0.0, turned_deg)

    return motion


def hidden(motion: Motion, spans_s: Sequence[tuple[float, float]]) -> Motion:
    """Return a motion with something held before the face from a time to another, each."""

    def covered(time_s: float) -> Pose | None:
        pose = motion(time_s)
        is_hidden = any(begin <= time_s < end for begin, end in spans_s)
        return pose._replace(is_hidden=True) if pose and is_hidden else pose

    return covered


def moved(motion: Motion, begin_s: float, duration_s: float, to_right: float) -> Motion:
    """Return a motion that is so many pixels further to the right from a time on, after a smooth shift."""

    def further(time_s: float) -> Pose | None:
        pose = motion(time_s)
        share = min(1.0, max(0.0, (time_s - begin_s) / duration_s))
        return pose._replace(x=pose.x + to_right * share * share * (3 - 2 * share)) if pose else None

    return further
