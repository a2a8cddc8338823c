"""Face detectors by name."""

from .detector_choice import DetectorName
from .face_detector import FaceDetector


def open_detector(name: DetectorName) -> FaceDetector:
    """Return a detector for the images of one camera; UsageError where it is not installed."""
    if name == "centerface":  # only what is used is imported
        from .center_face import CenterFaceDetector
        from .center_face_graph import shared_graph

        return CenterFaceDetector(shared_graph())
    from .face_cascade import CascadeDetector

    return CascadeDetector()
