"""Scheduler of pytest-xdist: what shares fixtures that take long to make runs in one process."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadFileScheduling

TOGETHER = {"tests/export", "tests/train/clips", "tests/train/voices_and_faces"}
"""Folders with a trained or exported model for all their tests."""
ALONE = {"tests/export/test_engines.py"}
"""Modules there that do without it."""


class SharedFixtures(LoadFileScheduling):
    """Scheduling by module, and by folder where a folder shares fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the scope that one process runs."""
        module = super()._split_scope(nodeid)
        folder = str(PurePosixPath(module).parent)
        return folder if folder in TOGETHER and module not in ALONE else module
