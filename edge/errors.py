"""Tree of the errors that a user can meet.

    FoalError                 exit 1
    ├── UsageError            exit 2   an option or a file that the user named makes no sense
    ├── SourceError           exit 3   a camera, microphone or file cannot be opened or read
    ├── BundleError           exit 4   a bundle is damaged, foreign, of another schema, or computed wrongly by this CPU
    ├── PublishError          exit 5   the publisher cannot bind its address, or the server of a bridge refuses it
    └── EngineError           exit 6   the backend, on the CPU or a GPU, is missing, fails or computes wrongly
        └── UnansweredError   exit 6   a server that computes has given no result in time; a live run goes on

A message names the value, what was expected and the remedy; it is printed without a traceback.
"""


class FoalError(Exception):
    """Problem that the user can mend; `exit_status` is that of the command."""

    exit_status = 1


class UsageError(FoalError):
    """Option or file named by the user that makes no sense."""

    exit_status = 2


class SourceError(FoalError):
    """Camera, microphone or file that cannot be opened or read."""

    exit_status = 3


class BundleError(FoalError):
    """Bundle that is damaged, foreign, of another schema, or whose golden vectors this CPU does not reproduce."""

    exit_status = 4


class PublishError(FoalError):
    """Address that the publisher cannot bind, or server that refuses a bridge."""

    exit_status = 5


class EngineError(FoalError):
    """Backend, on the CPU or a GPU, that is missing, fails or computes wrongly."""

    exit_status = 6

    def __init__(self, what: str, remedy: str | None = None) -> None:
        super().__init__(f"{what}; {remedy}" if remedy else what)
        self.what = what
        """Problem without its remedy."""


class UnansweredError(EngineError):
    """Request to a server that computes, to which no result has come in time: the next one may be answered."""
