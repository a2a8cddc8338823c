"""Availability of pre-trained weights: in the local cache or on the Hugging Face hub."""

import struct
from collections.abc import Sequence
from pickle import UnpicklingError

import huggingface_hub
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError

from edge.errors import UsageError

PATIENCE_S = 10.0
"""Timeout of the hub's first answer. Downloads retry for half a minute and longer, a hang without a network."""
DAMAGE = (OSError, RuntimeError, KeyError, EOFError, struct.error, UnpicklingError, SafetensorError)
"""Errors of reading weights from a file that is damaged, holds something else, or would run code."""


def check_available(repository: str, files: Sequence[str], field: str, file: str = "") -> None:
    """Raise UsageError if none of `files` is cached and the hub does not answer; `field` and `file` as in `missing`."""
    try:
        if any(isinstance(huggingface_hub.try_to_load_from_cache(repository, file), str) for file in files):
            return
        huggingface_hub.model_info(repository, timeout=PATIENCE_S)
    except HFValidationError as error:
        raise UsageError(
            f"{field}: {repository} is neither a path here nor a name on the Hugging Face hub; set it to one of them"
        ) from error
    except Exception as error:  # whichever HTTP client the hub's own package uses raises errors of its own
        raise missing(repository, field, error, file) from error


def missing(repository: str, field: str, error: Exception, file: str = "") -> UsageError:
    """Build the error for weights that are unavailable.

    `field` of the configuration takes the path of a folder with them, or of `file` in it if that is given.
    """
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return UsageError(
        f"{field}: {repository} is neither on this machine nor available from the Hugging Face hub ({reason}); "
        f"where there is a network run `hf download {repository} --local-dir DIR`, "
        f"copy DIR to this machine and set {field} to the path of {f'DIR/{file}' if file else 'DIR'} there"
    )
