"""Candidates, measured side by side: bundles on backends, each proven on its golden vectors first."""

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
from .report import CandidateInfo

OpenBaselines = Callable[[Bundle], Sequence[Backend]]
"""Function that opens further backends of another package, with the weights of a bundle."""


@dataclass(frozen=True)
class Candidate:
    """One way to run one bundle."""

    info: CandidateInfo
    bundle: Bundle
    recognizer: Recognizer
    arguments: tuple[str, ...] | None
    """Command-line arguments with which the runtime runs it live; None where it cannot."""

    @property
    def name(self) -> str:
        """Name, unique among those that are measured together."""
        return self.info.name


class OrtDefaults(OrtBackend):
    """ONNX Runtime with its default options: as many threads as it chooses, which spin after each run."""

    name = "onnxruntime-defaults"

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle, tuned=False)


def open_candidates(
    bundles: Sequence[Bundle],
    wanted: Sequence[str],
    threads: int,
    engine_builder: EngineBuilder,
    open_baselines: OpenBaselines,
) -> list[Candidate]:
    """Open every bundle on every backend that is asked for, and the baselines on the first bundle.

    EngineError, BundleError where one cannot be opened.
    """
    candidates: list[Candidate] = []
    for bundle in bundles:
        for name in wanted:
            opened = open_backend(bundle, name, threads, engine_builder)
            arguments = "--bundle", str(bundle.folder), "--backend", name, "--threads", str(threads)
            candidates.append(make_candidate(bundle, opened.backend, opened.proofs, arguments))
    baselines = [OrtDefaults(bundles[0]), *open_baselines(bundles[0])]
    candidates += [make_candidate(bundles[0], baseline, prove(bundles[0], baseline), None) for baseline in baselines]
    return with_unique_names(candidates)


def make_candidate(
    bundle: Bundle, backend: Backend, proofs: Sequence[Proof], arguments: tuple[str, ...] | None
) -> Candidate:
    """Build a candidate and its description; EngineError where it is too far from the golden vectors."""
    manifest, entries = bundle.manifest, bundle.manifest.graphs.by_name()
    problem = describe_failures(bundle, backend, proofs)
    if problem:
        raise EngineError(
            f"{problem}; give the bundle of these weights, {bundle.folder} is another, or see foal-edge doctor"
        )
    info = CandidateInfo(
        name=f"{manifest.name} {backend.name}",
        bundle=f"{manifest.name} {manifest.version}",
        manifest_sha256=sha256(bundle.folder / MANIFEST),
        precision={name: entry.precision for name, entry in entries.items()},
        backend=backend.name,
        about=backend.about,
        difference=max(proof.difference / proof.tolerance for proof in proofs),
    )
    return Candidate(info, bundle, Recognizer(manifest, backend), arguments)


def with_unique_names(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Append a number to the name of later candidates of the same name: two bundles may share name and version."""
    seen: dict[str, int] = {}
    unique = []
    for each in candidates:
        count = seen[each.name] = seen.get(each.name, 0) + 1
        info = replace(each.info, name=f"{each.name} ({count})") if count > 1 else each.info
        unique.append(Candidate(info, each.bundle, each.recognizer, each.arguments))
    return unique
