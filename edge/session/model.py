"""Model of a run: a bundle on a backend, with the framing of its frames."""

from dataclasses import dataclass

from ..backends.patience import Patience
from ..backends.select import open_backend
from ..backends.tensorrt.builder import EngineBuilder
from ..bundle.load import Bundle
from ..bundle.manifest import FramingName
from ..clock import to_ns
from ..errors import UsageError
from ..live.pipeline import RunSpec, StreamSpec
from ..live.recognizer import Recognizer
from ..live.stagger import delays_ns
from ..preprocess.detector_choice import DetectorName, choose
from .config import Config


@dataclass(frozen=True)
class Model:
    """Bundle that is ready to predict."""

    bundle: Bundle
    recognizer: Recognizer
    framing: FramingName
    detector: DetectorName
    runs: str
    """Name and backend with the reason for its choice, for people."""
    faces: str
    """Detector of faces with the reason for its choice, for people; an empty text where none are looked for."""
    patience: Patience
    """Patience with the server that computes, if any."""

    @property
    def name(self) -> str:
        """Name and version of the bundle."""
        return f"{self.bundle.manifest.name} {self.bundle.manifest.version}"

    @property
    def about(self) -> str:
        """Name, backend and detector with the reasons for their choice, for people."""
        return f"{self.runs}, faces by {self.faces}" if self.faces else self.runs

    def run_spec(self, config: Config, session: str, begin_ns: int) -> RunSpec:
        """Return what the messages of a run will depend on, its first window beginning at `begin_ns`.

        UsageError where several people are asked for and frames are not searched for faces.
        """
        if self.framing == "whole":
            check_alone(config, self.bundle.manifest.name)
        hop_ns, streams = to_ns(config.first_hop_s), config.streams
        delays = [0] * len(streams) if config.fast else delays_ns(len(streams), hop_ns)
        return RunSpec(
            session,
            tuple(
                StreamSpec(
                    stream.name,
                    stream.wants_audio,
                    stream.wants_video,
                    max(0.0, -stream.av_offset_ms),
                    stream.is_recorded,
                    delay_ns,
                    stream.people,
                )
                for stream, delay_ns in zip(streams, delays, strict=True)
            ),
            self.framing,
            begin_ns,
            hop_ns,
            not config.fast,
            config.events,
            self.detector,
        )


def open_model(config: Config, bundle: Bundle, engine_builder: EngineBuilder) -> Model:
    """Open a bundle on the backend, and with the framing and the detector, that the settings ask for.

    `engine_builder` builds engines where TensorRT needs them. EngineError, BundleError or UsageError where something
    cannot be had.
    """
    patience = Patience()
    opened = open_backend(
        bundle,
        config.backend,
        config.threads,
        engine_builder,
        patience=patience,
        falls_back=config.fallback == "local",
    )
    framing, detector = config.framing or bundle.manifest.video.framing, choose(config.detector)
    faces = f"{detector.name} ({detector.reason})" if framing == "face" else ""
    runs = f"{bundle.manifest.name} {bundle.manifest.version} on {opened.backend.name} ({opened.reason})"
    return Model(bundle, Recognizer(bundle.manifest, opened.backend), framing, detector.name, runs, faces, patience)


def check_alone(config: Config, name: str) -> None:
    """Raise UsageError where several people are asked for, whom a bundle of that name could not tell apart."""
    for stream in config.streams:
        if stream.people > 1:
            raise UsageError(
                f"stream {stream.name}: {stream.people} people are told apart by their faces, and {name} looks at "
                "whole frames here; give --framing face, or --people 1"
            )
