"""foal-edge: live audio-visual emotion recognition, published over ZeroMQ."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .listen import AsyncSubscriber, Subscriber
    from .recognizer import Recognizer
else:
    from importlib import import_module

    MODULES = {"AsyncSubscriber": "listen", "Recognizer": "recognizer", "Subscriber": "listen"}

    def __getattr__(name: str) -> object:
        """Return a public name, whose module is imported now, so that importing the package stays light."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f".{MODULES[name]}", __name__), name)

    def __dir__() -> list[str]:
        """List the public names beside what is loaded, for completion."""
        return sorted({*globals(), *__all__})


__all__ = ["AsyncSubscriber", "Recognizer", "Subscriber"]
