"""A real RTSP camera on loopback for a test, by GStreamer's server: `rtsp_server.py PORT COLOUR`, colour as 0xAARRGGBB.

Run by the system's own Python, which is the one that has GStreamer's bindings; without arguments it says by its exit
status whether all is there.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( videotestsrc is-live=true pattern=solid-color foreground-color={colour} ! video/x-raw,width=320,height=240,"
    "framerate=25/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 pt=96 )"
)


def serve(port: str, colour: str) -> None:
    """Until it is killed."""
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(colour=int(colour, 16)))
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    GLib.MainLoop().run()


if __name__ == "__main__":
    Gst.init(None)
    if None in map(Gst.ElementFactory.find, ("x264enc", "rtph264pay")):
        sys.exit("GStreamer lacks x264enc or rtph264pay")
    if len(sys.argv) == 3:
        serve(*sys.argv[1:])
