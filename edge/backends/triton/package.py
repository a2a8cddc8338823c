"""Package `tritonclient`, which an extra brings."""

from ...errors import EngineError

INSTALL_REMEDY = "pip install 'foal-edge[triton]' (docs/triton.md)"


def missing_client(error: ModuleNotFoundError) -> EngineError:
    """Return the error for an installation that lacks the client, or a package that the client needs."""
    return EngineError(f"the Python package {error.name} is not installed, which a Triton server needs", INSTALL_REMEDY)
