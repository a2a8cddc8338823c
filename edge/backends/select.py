"""Selection of the backend that runs a bundle: the one asked for, or the best one here, never another in silence."""

import importlib
import logging
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple, Protocol, cast

from ..bundle.load import Bundle
from ..errors import EngineError, FoalError
from . import nvidia, registry
from .base import RegisteredBackend
from .patience import Patience
from .proof import Proof, describe_failures, prove
from .registry import AUTO, TRITON, BackendEntry, get_entry, is_address
from .tensorrt.builder import EngineBuilder
from .triton.address import ServerAddress, parse
from .triton.package import missing_client

AS_ASKED = "as asked for"

log = logging.getLogger(__name__)


class BackendModule(Protocol):
    """Functions of a backend's module."""

    def probe(self, bundle: Bundle, /) -> str:
        """Return what makes the backend usable for the bundle on this machine; EngineError says what is missing."""
        ...

    def open_backend(self, bundle: Bundle, threads: int, engine_builder: EngineBuilder, /) -> RegisteredBackend:
        """Load the bundle's graphs; EngineError, BundleError where they cannot be run.

        `threads` are those of the CPU, 0 for all; `engine_builder` builds TensorRT's engines.
        """
        ...


class OpenedBackend(NamedTuple):
    """A backend that has run a bundle's golden vectors."""

    backend: RegisteredBackend
    reason: str
    """Reason for the choice of this backend, for people."""
    proofs: Sequence[Proof]
    """Comparison of each graph with its golden outputs."""
    error: FoalError | None
    """Error that a run raises where a graph is too far from its golden outputs; None where all are within tolerance."""


def open_backend(
    bundle: Bundle,
    wanted: str,
    threads: int,
    engine_builder: EngineBuilder,
    *,
    must_prove: bool = True,
    patience: Patience | None = None,
    falls_back: bool = False,
) -> OpenedBackend:
    """Open the backend of the name `wanted`, or the best one for `auto`, and run the golden vectors on it.

    `threads` are those of the CPU, 0 for all. EngineError where a backend that is asked for cannot be had. Where it
    `must_prove` itself, a backend that computes something else than the golden vectors is refused with its entry's
    error. `wanted` may be the address of a server, which is waited for with `patience`; where it `falls_back`, the best
    backend of this machine computes while the server does not answer. UsageError where the address makes no sense.
    """
    if is_address(wanted):
        address = parse(wanted)
        local = open_backend(bundle, AUTO, threads, engine_builder).backend if falls_back else None
        return open_served(bundle, address, patience or Patience(), local, must_prove=must_prove)
    if wanted != AUTO:
        return open_entry(get_entry(wanted), bundle, threads, engine_builder, AS_ASKED, must_prove=must_prove)
    reasons = []
    automatic = [entry for entry in registry.BACKENDS if entry.is_automatic]
    no_nvidia = nvidia.absence()
    for entry in automatic[:-1]:
        if entry.needs_nvidia and no_nvidia:
            reasons.append(no_nvidia)
            continue
        try:
            found = import_backend(entry).probe(bundle)
        except EngineError as error:
            reasons.append(error.what)
            continue
        try:
            return open_entry(entry, bundle, threads, engine_builder, found, must_prove=must_prove)
        except EngineError as error:
            problem = f"{entry.title} cannot be used"
            log.warning("%s, but %s: %s. Going on without it", found, problem, error)
            reasons.append(problem)
    reason = "; ".join(dict.fromkeys(reasons))
    return open_entry(automatic[-1], bundle, threads, engine_builder, reason, must_prove=must_prove)


def open_served(
    bundle: Bundle, address: ServerAddress, patience: Patience, local: RegisteredBackend | None, *, must_prove: bool
) -> OpenedBackend:
    """Open the backend on the server at an address and run the golden vectors on it; `local` stands in for it."""
    module = import_server()
    if local is None:
        backend: RegisteredBackend = module.open_served(bundle, address, patience)
    else:
        backend = module.open_with_fallback(bundle, address, patience, local)
    return check_golden(TRITON, bundle, backend, backend.about, must_prove=must_prove)


def import_server() -> ModuleType:
    """Import the module that opens a backend on a server; EngineError where its client is not installed."""
    try:
        return importlib.import_module(TRITON.module, __package__)
    except (ModuleNotFoundError, RuntimeError) as error:  # tritonclient's own for a package that it lacks
        missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
        if not isinstance(missing, ModuleNotFoundError):
            raise
        raise missing_client(missing) from error


def import_backend(entry: BackendEntry) -> BackendModule:
    """Import the module of a backend."""
    return cast(BackendModule, importlib.import_module(entry.module, __package__))


def open_entry(
    entry: BackendEntry, bundle: Bundle, threads: int, engine_builder: EngineBuilder, reason: str, *, must_prove: bool
) -> OpenedBackend:
    """Open the backend of an entry and run the golden vectors on it; see `open_backend`."""
    backend = import_backend(entry).open_backend(bundle, threads, engine_builder)
    opened = check_golden(entry, bundle, backend, reason, must_prove=must_prove)
    backend.save_compiled()
    return opened


def check_golden(
    entry: BackendEntry, bundle: Bundle, backend: RegisteredBackend, reason: str, *, must_prove: bool
) -> OpenedBackend:
    """Run the golden vectors on a backend; the entry's error where it `must_prove` itself and is too far from them."""
    proofs = prove(bundle, backend)
    problem = describe_failures(bundle, backend, proofs)
    remedy = entry.remedy.format(folder=bundle.folder, about=backend.about)
    error = entry.error(f"{problem}; {remedy}") if problem else None
    if must_prove and error:
        raise error
    if bundle.manifest.golden_probabilities is None:
        log.warning(
            "%s has no golden probabilities: the order of its labels and its temperature cannot be checked; "
            "export it again, or write them by python -m export complete BUNDLE",
            bundle.folder,
        )
    return OpenedBackend(backend, reason, proofs, error)
