"""What is measured beside each other: bundles on backends, each proven on its golden vectors first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from ..backends.base import Backend
from ..backends.onnxruntime import OrtBackend
from ..backends.proof import Proof, describe_failures, prove
from ..backends.select import open_backend
from ..backends.tensorrt.builder import EngineBuilder
from ..bundle.load import MANIFEST, Bundle, sha256
from ..errors import EngineError
from ..live.recognizer import Recognizer
from . import report as document

Opening = Callable[[Bundle], Sequence[Backend]]
"""Backends that another room adds to a bundle's own, on the same weights."""


@dataclass(frozen=True)
class Contender:
    """One way to run one bundle."""

    about: document.Contender
    bundle: Bundle
    recognizer: Recognizer
    arguments: tuple[str, ...] | None
    """By which the runtime runs it live; None where it cannot."""

    @property
    def name(self) -> str:
        """Unique among those that are measured together."""
        return self.about.name


class OrtDefaults(OrtBackend):
    """ONNX Runtime as it comes: threads of its own choice, which spin on after each run."""

    name = "onnxruntime-defaults"

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle, tuned=False)


def open_contenders(
    bundles: Sequence[Bundle],
    wanted: Sequence[str],
    threads: int,
    engine_builder: EngineBuilder,
    opening: Opening,
) -> list[Contender]:
    """Every bundle on every backend that is asked for; beside each of the first bundle's, what a user may pick instead.

    EngineError, BundleError where one cannot be had.
    """
    contenders: list[Contender] = []
    for bundle in bundles:
        for name in wanted:
            opened = open_backend(bundle, name, threads, engine_builder)
            arguments = "--bundle", str(bundle.folder), "--backend", name, "--threads", str(threads)
            contenders.append(make_contender(bundle, opened.backend, opened.proofs, arguments))
    rivals = [OrtDefaults(bundles[0]), *opening(bundles[0])]
    contenders += [make_contender(bundles[0], rival, prove(bundles[0], rival), None) for rival in rivals]
    return numbered(contenders)


def make_contender(
    bundle: Bundle, backend: Backend, proofs: Sequence[Proof], arguments: tuple[str, ...] | None
) -> Contender:
    """With how far it is from the golden vectors; EngineError where that is too far."""
    manifest, entries = bundle.manifest, bundle.manifest.graphs.by_name()
    problem = describe_failures(bundle, backend, proofs)
    if problem:
        raise EngineError(
            f"{problem}; give the bundle of these weights, {bundle.folder} is another, or see foal-edge doctor"
        )
    about = document.Contender(
        name=f"{manifest.name} {backend.name}",
        bundle=f"{manifest.name} {manifest.version}",
        manifest_sha256=sha256(bundle.folder / MANIFEST),
        precision={name: entry.precision for name, entry in entries.items()},
        backend=backend.name,
        about=backend.about,
        difference=max(proof.difference / proof.tolerance for proof in proofs),
    )
    return Contender(about, bundle, Recognizer(manifest, backend), arguments)


def numbered(contenders: Sequence[Contender]) -> list[Contender]:
    """The same, the later ones of a name told apart by a number: two bundles may share name and version."""
    seen: dict[str, int] = {}
    unique = []
    for each in contenders:
        count = seen[each.name] = seen.get(each.name, 0) + 1
        about = replace(each.about, name=f"{each.name} ({count})") if count > 1 else each.about
        unique.append(Contender(about, each.bundle, each.recognizer, each.arguments))
    return unique
