"""Every error that a user can meet, as one tree.

    FoalError                 exit 1
    ├── UsageError            exit 2   an option or a file the user named cannot be meant
    ├── SourceError           exit 3   a camera, microphone or file cannot be opened or read
    ├── BundleError           exit 4   a bundle is damaged, foreign, of another schema, or computed wrongly by this CPU
    ├── PublishError          exit 5   the publisher cannot have its address
    └── EngineError           exit 6   what runs the model, on the CPU or a GPU, is missing, fails or computes wrongly

A message names the value, what was expected and the remedy; it is printed without a traceback.
"""


class FoalError(Exception):
    """A problem that the user can mend; `exit_status` is what the command returns."""

    exit_status = 1


class UsageError(FoalError):
    """An option or a file that the user named cannot be meant."""

    exit_status = 2


class SourceError(FoalError):
    """A camera, a microphone or a file cannot be opened or read."""

    exit_status = 3


class BundleError(FoalError):
    """A bundle is damaged, foreign, of another schema, or on this CPU something else than its golden vectors."""

    exit_status = 4


class PublishError(FoalError):
    """The publisher cannot have its address."""

    exit_status = 5


class EngineError(FoalError):
    """What runs the model, on the CPU or a GPU, is missing, fails or computes wrongly."""

    exit_status = 6

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(f"{what}; {remedy}" if remedy else what)
        self.what = what
        """The problem without its remedy."""
